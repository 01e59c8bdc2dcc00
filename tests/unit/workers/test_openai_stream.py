"""A model server's remarks about itself are stored as far as a column can hold them."""

import httpx2
import msgspec
import pytest

from workers.providers import Ending
from workers.providers.openai_client import OpenAIStream


def stream_of(*chunks: dict[str, object]) -> OpenAIStream:
    body = b"".join(b"data: " + msgspec.json.encode(chunk) + b"\n\n" for chunk in chunks)
    return OpenAIStream(httpx2.Response(200, content=body), Ending())


@pytest.mark.parametrize(("count", "stored"), [(7, 7), (2**31, None), (-1, None)])
def test_its_name_and_counts_are_cut_to_what_a_column_holds(count: int, stored: int | None) -> None:
    stop = {"delta": {"content": "Hi"}, "finish_reason": "stop"}
    stream = stream_of(
        {"model": "m\0" * 300, "choices": [stop]},
        {"usage": {"prompt_tokens": count, "completion_tokens": count}},
    )
    assert list(stream) == ["Hi"]
    assert stream.ending.model == "m" * 200
    assert (stream.ending.tokens_in, stream.ending.tokens_out) == (stored, stored)
