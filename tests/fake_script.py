"""Scripts the fake model's answers by the model's name, as in `fake:chunks=50,every=40,first=500`.

A question that contains such a name overrides the model's. Plain `fake` quotes the question.
Options, comma-separated (times in ms):
  chunks=N every=MS first=MS stamp   N pieces, one each MS, the first after MS; stamped: each is the Unix time
  signed                             each piece names the request: the first, second … with the same question
  gate=NAME                          waits after the first piece until the gate is opened
  status=N retry_after=S retry_date=S quota refuse hang html keepalive_only     before any text
  context_length like=SERVER         before any text: too long, in the words of openai, vllm, llama or anthropic
  hang_after=N cut_after=N reset_after=N bad_json_after=N error_after=N       after N pieces
  empty blank reasoning no_choices finish=REASON no_finish nul surrogate split_utf8 endless huge     odd answers
  times=N                            odd for the first N requests with the same question, then all is well
"""

import itertools
import re
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from typing import Any, Self


def canned_answer(question: str) -> str:
    """The answer of plain `fake` to this question."""
    return f"You said: {question} This is the fake model's answer, word by word, and here it ends."


@dataclass(frozen=True)
class Script:
    """The options, parsed. An option that isn't set changes nothing."""

    chunks: int | None = None
    every: float = 2.0
    first: float = 0.0
    stamp: bool = False
    signed: bool = False
    gate: str = ""
    times: float = float("inf")
    status: int | None = None
    retry_after: str = ""
    retry_date: int | None = None
    quota: bool = False
    context_length: bool = False
    like: str = "openai"
    refuse: bool = False
    hang: bool = False
    html: bool = False
    keepalive_only: bool = False
    hang_after: int | None = None
    cut_after: int | None = None
    reset_after: int | None = None
    bad_json_after: int | None = None
    error_after: int | None = None
    empty: bool = False
    blank: bool = False
    reasoning: bool = False
    no_choices: bool = False
    no_finish: bool = False
    finish: str = "stop"
    nul: bool = False
    surrogate: bool = False
    split_utf8: bool = False
    endless: bool = False
    huge: bool = False

    @classmethod
    def parse(cls, model: str, question: str) -> Self:
        """The script in the question or the model's name. A ValueError names an unknown option."""
        kinds: dict[str, type] = {option.name: type(option.default) for option in fields(cls)}
        options: dict[str, Any] = {}
        asked = re.search(r"\bfake:([\w=.,]+)", question)
        for option in filter(None, (asked[1] if asked else model.partition(":")[2]).split(",")):
            name, _, value = option.partition("=")
            if name not in kinds:
                raise ValueError(f"The fake model has no option {name!r}.")
            kind = int if kinds[name] is type(None) else kinds[name]
            options[name] = kind(value or True)
        return cls(**options)

    def without_fault(self) -> Self:
        """The same answer in the same rhythm, with nothing wrong in it."""
        kept = {name: getattr(self, name) for name in ("chunks", "every", "first", "stamp", "signed", "gate")}
        return replace(type(self)(), **kept)

    def pieces(self, question: str) -> Iterable[str]:
        """The text, in the pieces that the fake model streams."""
        if self.endless:
            return (f"word{number} " for number in itertools.count())
        if self.empty or self.reasoning or self.no_choices or self.finish == "tool_calls":
            return []
        if self.blank:
            return [" \n", "\u200b", "\u3164 "]
        if self.nul:
            return ["before", "\x00", "af\x00ter"]
        if self.surrogate:
            return ["lone \ud800 ", "pair \ud83d", "\ude00 end"]
        if self.huge:
            return ["half a megabyte ", "x" * 512 * 1024]
        if self.chunks is not None:
            return [f"word{number} " for number in range(self.chunks)]
        return _words("Grüße 😀 naïve café" if self.split_utf8 else canned_answer(question))


def sign(piece: str, number: int) -> str:
    """A piece of text, signed with the number of its request."""
    return f"{piece.rstrip()}@{number} "


def _words(text: str) -> list[str]:
    first, *others = text.split(" ")
    return [first, *(f" {word}" for word in others)]
