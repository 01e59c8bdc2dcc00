"""A model's stream gives the same chunks for any split of its bytes, and nothing but chunks."""

import json
from typing import Any

import pytest

from shared.errors.replies import ModelTruncated, ModelUnavailable
from workers.providers.chunks import Chunk, read_chunks


def data(*choices: Any, **fields: Any) -> bytes:
    return b"data: " + json.dumps({"choices": list(choices)} | fields).encode() + b"\n\n"


def say(text: str | None, finish: str | None = None) -> Any:
    return {"index": 0, "delta": {"role": "assistant", "content": text}, "finish_reason": finish}


STREAM = (
    b": comment\n\n"
    + data(say(""))
    + data(say("Grüße "))
    + "data: {}\r\n\r\n".format(json.dumps({"choices": [say("😀")]}, ensure_ascii=False)).encode()
    + b"event: message\nid: 7\n"
    + data(say(None, "stop"), model="m-2")
    + data(usage={"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7})
    + b"data: [DONE]\n\n"
)


def read(received: bytes, size: int = 1 << 20) -> list[Chunk]:
    together = read_chunks(received[at : at + size] for at in range(0, len(received), size))
    return [chunk for chunks in together for chunk in chunks]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 1 << 20])
def test_the_chunks_are_the_same_however_the_bytes_arrive(size: int) -> None:
    chunks = read(STREAM, size)
    assert "".join(chunk.text or "" for chunk in chunks) == "Grüße 😀"
    assert [chunk.finish_reason for chunk in chunks if chunk.finish_reason] == ["stop"]
    assert [chunk.model for chunk in chunks if chunk.model] == ["m-2"]
    (usage,) = [chunk.usage for chunk in chunks if chunk.usage]
    assert (usage.prompt_tokens, usage.completion_tokens) == (3, 4)


@pytest.mark.parametrize("body", ["{}", '{"choices": null}', '{"choices": []}', '{"choices": [{}]}', '{"x": [1]}'])
def test_a_chunk_without_choices_says_nothing(body: str) -> None:
    (chunk,) = read(f"data: {body}\n\n".encode())
    assert (chunk.text, chunk.finish_reason) == (None, None)


def test_an_error_in_the_stream_is_the_models() -> None:
    chunks = read_chunks([data(say("Half ")) + b'data: {"error": {"message": "no"}}\n\n'])
    assert [chunk.text for chunk in next(chunks)] == ["Half "]
    with pytest.raises(ModelUnavailable):
        next(chunks)


def test_what_arrives_together_comes_together() -> None:
    chunks = read_chunks([data(say("one ")) + data(say("two ")), data(say("three"))])
    assert [[chunk.text for chunk in some] for some in chunks if some] == [["one ", "two "], ["three"]]


@pytest.mark.parametrize(
    "body",
    [b"{", b"nonsense", b"[]", b"7", b'{"choices": 7}', b'{"choices": [{"delta": {"content": 7}}]}', b"\xff\xfe"],
)
def test_what_is_no_chunk_breaks_the_answer_off(body: bytes) -> None:
    with pytest.raises(ModelTruncated):
        read(b"data: " + body + b"\n\n")


def test_halves_of_a_pair_in_two_chunks_are_kept_for_the_cleaner() -> None:
    chunks = read(data(say("\ud83d")) + data(say("\ude00")))
    assert [chunk.text for chunk in chunks] == ["\ud83d", "\ude00"]


def test_a_last_line_without_its_end_counts() -> None:
    assert [chunk.text for chunk in read(data(say("end")).rstrip())] == ["end"]


@pytest.mark.parametrize("received", [b"", b"<!doctype html><p>Sign in.</p>", b": keep-alive\n\n", b"data:\n\n"])
def test_what_holds_no_events_holds_no_chunks(received: bytes) -> None:
    assert read(received) == []


def test_a_line_without_end_is_not_kept_for_ever() -> None:
    with pytest.raises(ModelTruncated):
        list(read_chunks(b"x" * 65536 for _ in range(1000)))
