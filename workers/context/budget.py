"""How much of a conversation fits, estimated from its size: no model's own tokenizer comes without a download.

Measured beside two of them, o200k and cl100k: for prose and code the estimate is 1.0 to 2.9 times what they count (1.4
for English), for dense JSON and a few scripts 0.8 to 0.9. Far too low, 0.35 to 0.6, it is for ids, base64 and scripts
that a tokenizer hardly knows; a model that then refuses is asked once more, for the newest message alone.
"""

# Bytes of UTF-8.
BYTES_PER_TOKEN = 3
# Tokens that a message takes beside its text: its role, and what stands around it.
_FRAME = 4


def estimated_tokens(message: dict[str, str]) -> int:
    """What a message takes of the budget, more likely too much than too little."""
    return _FRAME + -(-len(message["content"].encode()) // BYTES_PER_TOKEN)


def newest_that_fit(conversation: list[dict[str, str]], tokens: int) -> list[dict[str, str]]:
    """The end of a conversation, oldest first, without a gap; the newest message always, and whole."""
    left = tokens - estimated_tokens(conversation[-1])
    first = len(conversation) - 1
    while first and (left := left - estimated_tokens(conversation[first - 1])) >= 0:
        first -= 1
    return conversation[first:]
