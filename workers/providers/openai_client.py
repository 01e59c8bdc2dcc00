"""Asks any server that speaks OpenAI's chat completions, with the openai package: its client, auth and errors.

This provider reads the stream as raw bytes. The package's chunk objects cost ten times as much, so a worker could carry
fewer replies. The package never retries, because the attempts of a reply do that.
"""

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx2
import openai

from shared.errors.replies import (
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
from workers.providers import BeforeWait, CutBy, Ending, Prompt
from workers.providers.chunks import DONE, Chunk, read_chunks
from workers.providers.connections import asking, make_cuttable

log = logging.getLogger(__name__)

# Seconds. Once the stream is open, the read time-out is longer than any deadline. The watchdog ends the stream.
_CONNECT, _WRITE, _POOL = 5.0, 10.0, 5.0
_MARGIN = 5.0
# Characters of a model's name that are kept.
_MODEL_NAME = 200
# Finish reasons that mean there is an answer to keep.
_WHOLE = ("stop", "length")
# Statuses that only the operator can mend: a wrong key, quota, permission, address or model.
_OPERATORS = (401, 402, 403, 404)
_OUT_OF_QUOTA = "insufficient_quota"
# OpenAI has a code for a prompt that is too long. For vLLM, llama.cpp and gateways to other models, only the message
# says it. Some of them answer 500.
_TOO_LONG = "context_length_exceeded"
_TOO_LONG_STATUSES = (400, 413, 500)
_TOO_LONG_WORDS = re.compile(
    r"context (length|size|window)|(prompt|input) is too long|input token count", re.IGNORECASE
)


class OpenAIProvider:
    """One client for all threads of the process. It keeps its connections and uses them again."""

    def __init__(self, settings: Settings) -> None:
        self._longest = max(settings.first_text_timeout, settings.silence_timeout) + _MARGIN
        self._must_say_why = settings.model_sends_finish_reason
        http = openai.DefaultHttpxClient()
        make_cuttable(http)
        self._client = openai.OpenAI(
            api_key=settings.openai_api_key,
            base_url=settings.openai_base_url or None,
            max_retries=0,
            timeout=httpx2.Timeout(connect=_CONNECT, read=settings.first_text_timeout, write=_WRITE, pool=_POOL),
            http_client=http,
        )

    @contextmanager
    def ask(self, prompt: Prompt, cut_by: CutBy, before_wait: BeforeWait) -> Iterator["OpenAIStream"]:
        ending = Ending()

        def before_read() -> None:
            if not ending.finish_reason:
                before_wait()

        try:
            with asking(cut_by, before_read), self._post(prompt) as stream:
                stream.response.request.extensions["timeout"]["read"] = self._longest
                yield OpenAIStream(stream.response, ending, self._must_say_why)
        except openai.OpenAIError as error:
            raise _reply_error(error) from error
        except httpx2.TimeoutException as error:
            raise ModelTimeout from error
        except httpx2.HTTPError as error:
            raise ModelTruncated from error

    def _post(self, prompt: Prompt) -> openai.Stream[object]:
        # chat.completions.create() would first check the whole body against the package's types
        return self._client.post(
            "/chat/completions",
            body={
                "model": prompt.model,
                "messages": prompt.messages,
                "stream": True,
                "stream_options": {"include_usage": True},
            },
            options={"headers": {"Accept-Encoding": "identity"}},
            cast_to=object,
            stream=True,
            stream_cls=openai.Stream[object],
        )


class OpenAIStream:
    """The text of one answer. After its last piece, `ending` has the model's remarks."""

    def __init__(self, response: httpx2.Response, ending: Ending, must_say_why: bool = True) -> None:
        self.ending = ending
        self._response = response
        self._must_say_why = must_say_why

    def __iter__(self) -> Iterator[str]:
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
            )  # such as a tool call, though no tool was offered

    def _note(self, chunks: list[Chunk]) -> None:
        ending = self.ending
        for chunk in chunks:
            if chunk is DONE and not self._must_say_why:  # a stream that breaks off has no [DONE]
                ending.finish_reason = ending.finish_reason or "stop"
            ending.model = clean(chunk.model)[:_MODEL_NAME] if chunk.model else ending.model
            ending.finish_reason = chunk.finish_reason or ending.finish_reason
            if chunk.usage:
                ending.tokens_in = _storable(chunk.usage.prompt_tokens)
                ending.tokens_out = _storable(chunk.usage.completion_tokens)


def _storable(count: int | None) -> int | None:
    """The count, if a database column can hold it; else None. A server may send any number."""
    return count if count is not None and 0 <= count < 2**31 else None


def _reply_error(error: openai.OpenAIError) -> ReplyError:
    """The error of the reply for an error of the package. Its upstream text is never shown to users."""
    if isinstance(error, openai.APITimeoutError):
        return ModelTimeout()
    if not isinstance(error, openai.APIStatusError):
        return ModelUnavailable()
    _log_refusal(error)
    if _is_too_long(error):
        return ContextTooLong()
    if error.code == "content_filter":
        return ContentFiltered()
    if error.status_code == 429 and error.code != _OUT_OF_QUOTA:
        return RateLimited(retry_after=_retry_after(error.response.headers))
    if error.status_code >= 500 or error.status_code in (408, 409):
        return ModelUnavailable(retry_after=_retry_after(error.response.headers))
    return ModelRejected()


def _is_too_long(error: openai.APIStatusError) -> bool:
    said = error.status_code in _TOO_LONG_STATUSES and _TOO_LONG_WORDS.search(str(error))
    return error.code == _TOO_LONG or bool(said)


def _log_refusal(error: openai.APIStatusError) -> None:
    """Log an error if only the operator can mend it, else a warning.

    The code comes from the server, so it is logged only if it looks like a code.
    """
    code = error.code if re.fullmatch(r"[\w.-]{1,60}", str(error.code)) else "?"
    if error.status_code in _OPERATORS or error.code == _OUT_OF_QUOTA:
        log.error("model.needs_operator: status=%s code=%s; check key, quota and MODEL", error.status_code, code)
    else:
        log.warning("model.refused: status=%s code=%s", error.status_code, code)


def _retry_after(headers: Any) -> float | None:
    """The pause in seconds that the server asks for, as a number or as a date; None for neither."""
    asked = headers.get("retry-after", "")
    try:
        return max(0.0, float(asked))
    except ValueError:
        pass
    try:
        # both dates are of the server's clock, which may differ from ours (D-118)
        return max(0.0, (parsedate_to_datetime(asked) - _now_there(headers)).total_seconds())
    except (TypeError, ValueError):  # no date either, or one without a time zone
        return None


def _now_there(headers: Any) -> datetime:
    said = headers.get("date")
    return parsedate_to_datetime(said) if said else datetime.now(UTC)
