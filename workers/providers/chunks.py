"""Reads the chunks of a chat-completions stream from its raw bytes: server-sent events with JSON in them."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from shared.errors.replies import ModelTruncated, ModelUnavailable, ReplyError

_END = b"[DONE]"
# Bytes. A longer line is no chunk of any model's answer.
_LONGEST_LINE = 4 * 1024 * 1024


class _Delta(msgspec.Struct):
    content: str | None = None


class _Choice(msgspec.Struct):
    delta: _Delta | None = None
    finish_reason: str | None = None


class Usage(msgspec.Struct):
    """The tokens, as the model counts them."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None


class Chunk(msgspec.Struct):
    """One event of the stream. Its `choices` may be missing, empty or null."""

    choices: list[_Choice] | None = None
    model: str | None = None
    usage: Usage | None = None
    error: Any = None

    @property
    def text(self) -> str | None:
        """The piece of text in this chunk, if any."""
        return self.choices[0].delta.content if self.choices and self.choices[0].delta else None

    @property
    def finish_reason(self) -> str | None:
        """The reason why the model stopped, if this chunk has one."""
        return self.choices[0].finish_reason if self.choices else None


#: Stands for the server's mark at the end of the stream.
DONE = Chunk()
_decoder = msgspec.json.Decoder(Chunk)


def read_chunks(received: Iterable[bytes]) -> Iterator[list[Chunk]]:
    """The chunks, in lists of those that arrive together. Reads to the end, so that the connection can be reused.

    Raises ModelUnavailable for an error inside the stream, and ModelTruncated for data that is no chunk.
    """
    rest = b""
    for block in received:
        *lines, rest = (rest + block).split(b"\n")
        if len(rest) > _LONGEST_LINE:
            raise ModelTruncated
        yield from _together(lines)
    yield from _together([rest])


def _together(lines: list[bytes]) -> Iterator[list[Chunk]]:
    chunks: list[Chunk] = []
    try:
        for line in lines:
            data = line[5:].strip() if line.startswith(b"data:") else b""
            if data:
                chunks.append(DONE if data == _END else _chunk(data))
    except ReplyError:
        yield chunks  # the chunks before the error count
        raise
    yield chunks


def _chunk(data: bytes) -> Chunk:
    try:
        chunk = _decoder.decode(data)
    except msgspec.DecodeError:
        chunk = _lenient(data)
    if chunk.error is not None:
        raise ModelUnavailable
    return chunk


def _lenient(data: bytes) -> Chunk:
    """Parse a chunk with half a surrogate pair, which msgspec refuses. The next chunk may bring the other half."""
    try:
        return msgspec.convert(json.loads(data), Chunk)
    except (ValueError, msgspec.ValidationError) as error:
        raise ModelTruncated from error
