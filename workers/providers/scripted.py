"""The offline model. It quotes the question in a plausible answer, at a human pace, and needs no key.

A message may direct it, for demonstrations. `/slow` thinks for long and then writes slowly. `/fail` fails before any
text. `/stop` breaks off half-way. README.md documents them.
"""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from shared.errors.replies import ModelRejected, ModelTruncated
from workers.providers import GO_ON, BeforeWait, CutBy, Ending, ModelStream, Prompt, Purpose

_DIRECTION = re.compile(r"/(slow|fail|stop)\b")
# Seconds before the first word, and the factor by which `/slow` is slower.
_THINKING = 0.6
_SLOWNESS = 6
# Words of a title.
_WORDS = 6

_ANSWER = """You wrote:

{quote}

This is **Holdfast's offline model**: it knows nothing, but it answers like one that does, word by word, so that \
you can see a reply being written.

1. Your message was stored, together with an empty placeholder for this reply, before you got an answer.
2. A worker claimed the placeholder and is writing it now. Reload the page: nothing is lost.
3. When I am done, the text is stored whole and the credits are charged.

Set `OPENAI_API_KEY` to talk to a real model. Or try `/slow`, `/fail` and `/stop` in a message.
"""
_THAT_WAS_ALL = "\n\nThat was all."


class ScriptedProvider:
    """Streams one canned answer, `words_per_second` words a second."""

    def __init__(self, words_per_second: float) -> None:
        self._pause = 1 / words_per_second

    @contextmanager
    def ask(self, prompt: Prompt, cut_by: CutBy, before_wait: BeforeWait) -> Iterator[ModelStream]:
        question, begun = _asked(prompt)
        if prompt.purpose is Purpose.TITLE:
            yield FirstWords(question)
            return
        directions = set(_DIRECTION.findall(question)) - ({"stop", "fail"} if begun else set())
        if "fail" in directions:
            raise ModelRejected
        answer = _answer_to(question).removeprefix(begun) or _THAT_WAS_ALL
        stream = ScriptedStream(question, answer, self._pause, directions, before_wait)
        cut_by(stream.abort)
        yield stream


class FirstWords:
    """A title: the first words of the question, at once."""

    def __init__(self, question: str) -> None:
        self.ending = Ending("stop", "scripted")
        self._words = _DIRECTION.sub("", question).split()

    def __iter__(self) -> Iterator[str]:
        yield " ".join(self._words[:_WORDS]) + ("…" if len(self._words) > _WORDS else "")


class ScriptedStream:
    """One answer. It waits for an event between words, so that another thread can end it at once."""

    def __init__(self, question: str, answer: str, pause: float, directions: set[str], before_wait: BeforeWait) -> None:
        self.ending = Ending()
        self._words = re.findall(r"\s*\S+\s*", answer)
        self._question = question
        self._slowness = _SLOWNESS if "slow" in directions else 1
        self._pause = pause * self._slowness
        self._breaks_off = "stop" in directions
        self._aborted = threading.Event()
        self._before_wait = before_wait

    def __iter__(self) -> Iterator[str]:
        self._sleep(min(_THINKING, self._pause * 8) * self._slowness)
        for number, word in enumerate(self._words):
            if self._breaks_off and number == len(self._words) // 2:
                return
            yield word
            self._sleep(self._pause)
        self.ending = Ending("stop", "scripted", len(self._question.split()), len(self._words))

    def abort(self) -> None:
        """End the iteration from another thread."""
        self._aborted.set()

    def _sleep(self, seconds: float) -> None:
        self._before_wait()
        if self._aborted.wait(seconds):
            raise ModelTruncated


def _asked(prompt: Prompt) -> tuple[str, str]:
    """The question, and the begun answer to go on from; empty if there is none."""
    *before, last = prompt.messages
    if last["content"] == GO_ON and len(before) > 1 and before[-1]["role"] == "assistant":
        return before[-2]["content"], before[-1]["content"]
    return last["content"], ""


def _answer_to(question: str) -> str:
    lines = question.strip().splitlines()[:6]
    return _ANSWER.format(quote="\n".join(f"> {line[:200]}" for line in lines))
