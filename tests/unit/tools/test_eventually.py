"""Waiting with a deadline."""

import itertools

import pytest

from tests.eventually import eventually


def test_it_gives_the_first_answer_that_is_true() -> None:
    answers = itertools.count()
    assert eventually(lambda: next(answers)) == 1


def test_a_failing_assertion_is_not_yet() -> None:
    numbers = itertools.count()

    def third() -> bool:
        assert next(numbers) == 2
        return True

    assert eventually(third)


def test_past_the_deadline_it_tells_the_last_answer() -> None:
    with pytest.raises(AssertionError, match=r"Not true within 0.1 s; last: \[\]"):
        eventually(list, within=0.1)


def test_any_other_exception_stops_the_waiting() -> None:
    with pytest.raises(ZeroDivisionError):
        eventually(lambda: 1 / 0)
