"""The real openai package asks the fake model, and listens."""

from typing import Any

import openai


def stream(client: openai.OpenAI, name: str, text: str = "Hello there", **extra: Any) -> Any:
    messages: Any = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": text}]
    usage: Any = {"include_usage": True}
    return client.chat.completions.create(model=name, messages=messages, stream=True, stream_options=usage, **extra)


def heard(chunks: Any) -> tuple[str, str | None]:
    """The whole text of a stream, and its finish reason."""
    text, finish = "", None
    for chunk in chunks:
        for choice in chunk.choices or []:
            text += choice.delta.content or ""
            finish = choice.finish_reason or finish
    return text, finish
