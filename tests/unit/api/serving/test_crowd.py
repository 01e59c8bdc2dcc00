"""The limits of connections and memory of one process of `web`."""

from typing import Any

import pytest

from api.serving import crowd as module
from api.serving.crowd import Crowd, Limits


class Someone:
    """A connection. `drop()` and `refuse()` only tell that they were called."""

    def __init__(self, address: str = "192.0.2.1", *, rests: bool = True, unsent: int = 0) -> None:
        self.client = (address, 1234)
        self.unsent, self.reads_body = unsent, rests
        self._rests, self.gone, self.looks = rests, False, 0

    @property
    def rests(self) -> bool:
        self.looks += 1
        return self._rests

    def drop(self) -> None:
        self.gone = True

    def refuse(self, _error: Any) -> None:
        self.gone = True


def admitted(crowd: Crowd, *people: Someone) -> list[bool]:
    return [crowd.admit(someone) for someone in people]  # type: ignore[arg-type]


@pytest.fixture
def crowd() -> Crowd:
    return Crowd(Limits(seconds=1, body=1, connections=4, per_address=2))


def test_of_an_address_the_one_that_rested_for_longest_goes(crowd: Crowd) -> None:
    recent, long_ago, newcomer = Someone(), Someone(), Someone()
    admitted(crowd, recent, long_ago)
    crowd.note_step(recent)  # type: ignore[arg-type]
    assert admitted(crowd, newcomer) == [True]
    assert [one.gone for one in (recent, long_ago, newcomer)] == [False, True, False]


def test_making_room_looks_at_no_more_than_one_of_many() -> None:
    crowd = Crowd(Limits(seconds=1, body=1, connections=1000, per_address=200))
    people = [Someone() for _ in range(400)]
    assert all(admitted(crowd, *people))
    assert [one.gone for one in people] == [True] * 200 + [False] * 200
    assert sum(one.looks for one in people) == 200


def test_a_request_at_work_is_never_ended(crowd: Crowd) -> None:
    at_work = [Someone(rests=False), Someone(rests=False)]
    assert admitted(crowd, *at_work, Someone()) == [True, True, False]
    assert not any(one.gone for one in at_work)


def test_of_all_the_address_with_the_most_connections_makes_room(crowd: Crowd) -> None:
    others = [Someone("192.0.2.2"), Someone("192.0.2.3")]
    greedy = [Someone(), Someone()]
    assert all(admitted(crowd, *others, *greedy, Someone("192.0.2.4")))
    assert [one.gone for one in (*others, *greedy)] == [False, False, True, False]


@pytest.mark.parametrize("twin", ["2001:db8::ffff", "2001:db8:0:0:1::"])
def test_an_ipv6_network_of_a_customer_is_one_address(crowd: Crowd, twin: str) -> None:
    first = Someone("2001:db8::1")
    admitted(crowd, first, Someone(twin), Someone(twin))
    assert first.gone
    other = Someone("2001:db8:0:1::1")
    admitted(crowd, other, Someone(twin))
    assert not other.gone


def test_who_has_gone_leaves_room(crowd: Crowd) -> None:
    first, second = Someone(), Someone()
    admitted(crowd, first, second)
    crowd.forget(first)  # type: ignore[arg-type]
    assert admitted(crowd, Someone()) == [True]
    assert not second.gone


def test_beyond_the_memory_for_bodies_a_stalled_client_goes_first(crowd: Crowd) -> None:
    half = module._MOST_BODIES // 2 + 1
    stalled, newcomer, at_work = Someone(), Someone(), Someone(rests=False)
    assert crowd.hold(stalled, half)  # type: ignore[arg-type]
    assert crowd.hold(at_work, 1)  # type: ignore[arg-type]
    assert crowd.hold(newcomer, half)  # type: ignore[arg-type]
    assert [one.gone for one in (stalled, newcomer, at_work)] == [True, False, False]
    newcomer.reads_body = False  # its body is whole
    assert not crowd.hold(at_work, half)  # type: ignore[arg-type]


def test_beyond_the_memory_for_answers_the_one_that_waited_for_longest_goes(crowd: Crowd) -> None:
    people = [Someone(unsent=module._MOST_UNSENT // 2) for _ in range(3)]
    for someone in people:
        crowd.owe(someone)  # type: ignore[arg-type]
    assert [one.gone for one in people] == [True, False, False]
