"""Estimates from its size how much of a conversation fits. A model's own tokenizer would need a download (D-74).

The estimate was compared with two tokenizers, o200k and cl100k. For prose and code it is 1.0 to 2.9 times their count,
and 1.4 times for English. For dense JSON and a few scripts it is 0.8 to 0.9 times their count. For ids, base64 and rare
scripts it is far too low: 0.35 to 0.6 times. If the model then refuses, the worker asks once more, for the newest
message alone (D-75).
"""

# Bytes of UTF-8 that count as one token.
BYTES_PER_TOKEN = 3
# Tokens that a message takes beside its text, for its role and the marks around it.
_FRAME = 4


def estimated_tokens(message: dict[str, str]) -> int:
    """The tokens of a message, estimated. For most text the estimate is too high rather than too low."""
    return _FRAME + -(-len(message["content"].encode()) // BYTES_PER_TOKEN)


def newest_that_fit(conversation: list[dict[str, str]], tokens: int) -> list[dict[str, str]]:
    """The newest messages that fit, oldest first and without a gap. The newest one is always there, and whole."""
    left = tokens - estimated_tokens(conversation[-1])
    first = len(conversation) - 1
    while first and (left := left - estimated_tokens(conversation[first - 1])) >= 0:
        first -= 1
    return conversation[first:]
