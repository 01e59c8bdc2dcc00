"""Any server that speaks OpenAI's chat completions, through the openai package: its client, auth and errors.

The stream is read as raw bytes: the package's chunk objects cost ten times as much and would set how many replies
a worker can carry. The package never retries; the reply's own attempts do.
"""

import logging
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx2
import openai

from shared.errors import (
    ContentFiltered,
    ContextTooLong,
    ModelRejected,
    ModelTimeout,
    ModelTruncated,
    ModelUnavailable,
    RateLimited,
    ReplyError,
)
from shared.settings import Settings
from shared.text import clean
from workers.providers import Ending, Prompt
from workers.providers.chunks import Chunk, read_chunks

log = logging.getLogger(__name__)

# Seconds. Once the stream is there, reading may take longer than any deadline between texts: the watchdog cuts it.
_CONNECT, _WRITE, _POOL = 5.0, 10.0, 5.0
_MARGIN = 5.0
# Characters of a model's name that are kept.
_MODEL_NAME = 200
# Finish reasons that mean there is an answer to keep.
_WHOLE = ("stop", "length")


class OpenAIProvider:
    """One client for all threads of the process; its connections are kept and reused."""

    def __init__(self, settings: Settings) -> None:
        self._longest = max(settings.first_text_timeout, settings.silence_timeout) + _MARGIN
        self._client = openai.OpenAI(
            api_key=settings.openai_api_key,
            base_url=settings.openai_base_url or None,
            max_retries=0,
            timeout=httpx2.Timeout(connect=_CONNECT, read=settings.first_text_timeout, write=_WRITE, pool=_POOL),
        )

    @contextmanager
    def ask(self, prompt: Prompt) -> Iterator["OpenAIStream"]:
        request = self._client.chat.completions.with_streaming_response.create(
            model=prompt.model,
            messages=[],  # what stands here is walked through, message by message, against the package's types
            extra_body={"messages": prompt.messages},
            stream=True,
            stream_options={"include_usage": True},
            extra_headers={"Accept-Encoding": "identity"},
        )
        try:
            with request as response:
                response.http_response.request.extensions["timeout"]["read"] = self._longest
                yield OpenAIStream(response.http_response)
        except openai.OpenAIError as error:
            raise _reply_error(error) from error
        except httpx2.TimeoutException as error:
            raise ModelTimeout from error
        except httpx2.HTTPError as error:
            raise ModelTruncated from error


class OpenAIStream:
    """The text of one answer, and after its last piece what the model said of it."""

    def __init__(self, response: httpx2.Response) -> None:
        self.ending = Ending()
        self._response = response

    def __iter__(self) -> Iterator[str]:
        # `stream`, as iter_bytes() would give the connection back before abort() can know
        assert isinstance(self._response.stream, httpx2.SyncByteStream)
        for chunks in read_chunks(self._response.stream):
            self._note(chunks)
            if text := "".join(chunk.text for chunk in chunks if chunk.text):
                yield text
        if self.ending.finish_reason == "content_filter":
            raise ContentFiltered
        if self.ending.finish_reason not in _WHOLE:
            raise (
                ModelTruncated if self.ending.finish_reason is None else ModelRejected
            )  # a tool call that nobody offered

    def _note(self, chunks: list[Chunk]) -> None:
        ending = self.ending
        for chunk in chunks:
            ending.model = clean(chunk.model)[:_MODEL_NAME] if chunk.model else ending.model
            ending.finish_reason = chunk.finish_reason or ending.finish_reason
            if chunk.usage:
                ending.tokens_in = _storable(chunk.usage.prompt_tokens)
                ending.tokens_out = _storable(chunk.usage.completion_tokens)

    def abort(self) -> None:
        # close() would leave the reading thread asleep until the next byte; a shut socket wakes it at once
        stream = self._response.extensions["network_stream"]
        try:
            stream.get_extra_info("socket").shutdown(socket.SHUT_RDWR)
        except OSError:
            log.debug("model.abort: the connection was closed already")


def _storable(count: int | None) -> int | None:
    """A count that a column can hold; a server may say anything."""
    return count if count is not None and 0 <= count < 2**31 else None


def _reply_error(error: openai.OpenAIError) -> ReplyError:
    """What an error of the package means to the reply. The upstream text is never shown."""
    if isinstance(error, openai.APITimeoutError):
        return ModelTimeout()
    if not isinstance(error, openai.APIStatusError):
        return ModelUnavailable()
    log.warning("model.refused: status=%s code=%s", error.status_code, error.code)
    if error.code == "context_length_exceeded":
        return ContextTooLong()
    if error.code == "content_filter":
        return ContentFiltered()
    if error.status_code == 429 and error.code != "insufficient_quota":
        return RateLimited(retry_after=_retry_after(error.response.headers))
    if error.status_code >= 500 or error.status_code in (408, 409):
        return ModelUnavailable(retry_after=_retry_after(error.response.headers))
    return ModelRejected()


def _retry_after(headers: Any) -> float | None:
    try:
        return max(0.0, float(headers["retry-after"]))
    except (KeyError, ValueError):
        return None  # absent, or a date: our own pause then
