"""One attempt keeps its text, and another thread may cut it short."""

import pytest

from shared.actions.replies.claim import Claim
from workers import run as run_module
from workers.providers import Ending
from workers.run import Run


@pytest.fixture
def run() -> Run:
    return Run(Claim("reply", 1, "user", "chat", "question", "fake", 3))


def added(run: Run, piece: str) -> str:
    """The text to show after this piece."""
    run.add(piece)
    return run.take_unshown()


class Stream:
    """A stream that counts its aborts."""

    def __init__(self) -> None:
        self.aborted = 0

    def abort(self) -> None:
        self.aborted += 1


def test_it_keeps_clean_text_and_tells_what_is_to_be_shown(run: Run) -> None:
    assert [added(run, piece) for piece in ("a\0", "\ud83d", "\ude00", "")] == ["a", "", "😀", ""]
    assert (run.text, run.size) == ("a😀", 2)


def test_what_comes_together_is_shown_together_and_once(run: Run) -> None:
    run.add("one ")
    run.add("two")
    assert (run.take_unshown(), run.take_unshown()) == ("one two", "")


def test_text_that_shows_nothing_waits_for_text_that_does(run: Run) -> None:
    assert [added(run, piece) for piece in (" \n", "\u200b", "a")] == ["", "", " \n\u200ba"]
    assert run.answer(Ending("stop")).text == " \n\u200ba"


def test_an_answer_that_shows_nothing_is_empty(run: Run) -> None:
    run.add("\u200b \u3164")
    assert not run.visible
    assert (run.answer(Ending("stop")).text, run.answer(Ending("stop")).next_index) == ("", 0)


def test_only_text_counts_as_progress(run: Run) -> None:
    before = run.last_text
    run.add("\0")
    assert run.last_text == before
    run.add("text")
    assert run.last_text > before


def test_text_beyond_the_cap_is_cut(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_module, "MAX_REPLY", 10)
    assert (added(run, "1234567"), run.full) == ("1234567", False)
    assert (added(run, "8901"), run.full) == ("890", True)
    assert (added(run, "2"), run.text) == ("", "1234567890")


def test_a_kept_text_is_there_from_the_start_and_no_answer_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    run = Run(Claim("reply", 1, "user", "chat", "question", "fake", 3, kept="Kept. "))
    assert (run.checkpoint(), run.size, run.visible, run.take_unshown()) == (("Kept. ", 1), 0, False, "")
    assert (run.answer(Ending()).text, run.answer(Ending()).next_index) == ("Kept. ", 1)
    monkeypatch.setattr(run_module, "MAX_REPLY", 10)
    assert (added(run, "more and more"), run.full) == ("more", True)
    assert (run.answer(Ending()).text, run.answer(Ending()).next_index) == ("Kept. more", 2)


def test_cutting_it_short_ends_the_stream_once_with_the_first_reason(run: Run) -> None:
    stream, first = Stream(), ValueError("first")
    run.cut_by(stream.abort)
    run.cut_short(first)
    run.cut_short(ValueError("second"))
    assert (run.cut, stream.aborted) == (first, 1)


def test_cut_before_there_is_a_stream_it_ends_that_at_once(run: Run) -> None:
    stream = Stream()
    run.cut_short(ValueError())
    run.cut_by(stream.abort)
    assert stream.aborted == 1


def test_cut_after_its_stream_it_leaves_the_connection_alone(run: Run) -> None:
    stream = Stream()
    run.cut_by(stream.abort)
    run.cut_by(None)
    run.cut_short(ValueError())
    assert (run.cut is not None, stream.aborted) == (True, 0)


def test_its_answer_holds_text_and_what_the_model_said_of_it(run: Run) -> None:
    run.add("All of it")
    run.sent = ["All ", "of ", "it"]
    answer = run.answer(Ending("stop", "m-2", 3, 4))
    assert (answer.text, answer.next_index) == ("All of it", 3)
    assert (answer.finish_reason, answer.model, answer.tokens_in, answer.tokens_out) == ("stop", "m-2", 3, 4)


def test_text_that_went_out_in_no_delta_counts_as_one(run: Run) -> None:
    assert run.answer(Ending()).next_index == 0
    run.add("All of it")
    assert run.answer(Ending()).next_index == 1
    run.sent = ["All ", "of "]
    assert run.answer(Ending()).next_index == 3
