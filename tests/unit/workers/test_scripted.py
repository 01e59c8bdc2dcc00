"""The offline model quotes the question, obeys its directions, and ends at once when cut."""

import threading
from collections.abc import Callable

import pytest

from shared.errors.replies import ModelRejected, ModelTruncated
from tests.eventually import at_most
from workers.providers import GO_ON, Ending, Prompt
from workers.providers.scripted import ScriptedProvider, ScriptedStream, _answer_to
from workers.run import MAX_REPLY

FAST = ScriptedProvider(words_per_second=10_000)


def nobody_cuts(_abort: Callable[[], None]) -> None:
    """For streams that run to their end."""


def nobody_waits() -> None:
    """For streams that the test reads at once."""


def asked(question: str) -> Prompt:
    system = {"role": "system", "content": "Be kind."}
    return Prompt("scripted", [system, {"role": "user", "content": question}])


def answer(question: str) -> tuple[list[str], Ending]:
    with FAST.ask(asked(question), nobody_cuts, nobody_waits) as stream:
        pieces = list(stream)
        return pieces, stream.ending


def test_it_quotes_the_question_word_by_word() -> None:
    pieces, ending = answer("How are you?\nToday?")
    text = "".join(pieces)
    assert "> How are you?\n> Today?\n" in text
    assert text.startswith("You wrote:")
    assert len(pieces) > 50
    assert ending == Ending("stop", "scripted", 4, len(pieces))


def test_a_long_question_is_quoted_in_part() -> None:
    pieces, _ = answer("\n".join(["x" * 1000] * 100))
    assert "".join(pieces).count("x" * 200) == 6
    assert len("".join(pieces)) < min(5000, MAX_REPLY)


def test_braces_in_a_question_are_only_text() -> None:
    assert "> {quote} {0} %s" in "".join(answer("{quote} {0} %s")[0])


def test_told_to_fail_it_says_nothing() -> None:
    with pytest.raises(ModelRejected), FAST.ask(asked("please /fail now"), nobody_cuts, nobody_waits):
        pass


def test_told_to_stop_it_breaks_off_half_way_without_a_finish_reason() -> None:
    whole, _ = answer("stop in between, please")
    pieces, ending = answer("/stop in between, please")
    assert 0 < len(pieces) <= len(whole) // 2 + 1
    assert ending.finish_reason is None


def test_told_to_be_slow_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr(ScriptedStream, "_sleep", lambda _stream, seconds: waits.append(seconds))
    answer("quick")
    thinking, *between_words = waits
    waits.clear()
    answer("/slow")
    assert waits[0] > thinking
    assert min(waits[1:]) > max(between_words)


@pytest.mark.parametrize("word", ["/slower", "slow", "/failing", "stop"])
def test_other_words_are_no_directions(word: str) -> None:
    assert answer(word)[1].finish_reason == "stop"


def test_another_thread_can_end_it_at_once() -> None:
    provider = ScriptedProvider(words_per_second=0.1)
    with provider.ask(asked("Hello"), nobody_cuts, nobody_waits) as stream:
        threading.Timer(0.1, stream.abort).start()
        with at_most(0.6), pytest.raises(ModelTruncated):
            list(stream)


def test_it_goes_on_from_a_begun_answer_whatever_broke_that_off() -> None:
    question = "Tell me /stop"
    with FAST.ask(asked(question), nobody_cuts, nobody_waits) as stream:
        begun = "".join(stream)
    turns = [{"role": "assistant", "content": begun}, {"role": "user", "content": GO_ON}]
    prompt = Prompt("scripted", [*asked(question).messages, *turns], newest=3)
    with FAST.ask(prompt, nobody_cuts, nobody_waits) as stream:
        rest = "".join(stream)
    assert stream.ending.finish_reason == "stop"
    assert begun + rest == _answer_to(question)


def test_a_message_that_asks_to_go_on_is_a_question_if_there_is_no_answer_before_it() -> None:
    assert f"> {GO_ON}" in "".join(answer(GO_ON)[0])
    said = [{"role": "user", "content": text} for text in ("One", "Two", GO_ON)]
    with FAST.ask(Prompt("scripted", said), nobody_cuts, nobody_waits) as stream:
        assert f"> {GO_ON}" in "".join(stream)
