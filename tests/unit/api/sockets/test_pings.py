"""The pings that are due: one for each socket, in their order, and none for a socket that has ended."""

from types import SimpleNamespace

from api.sockets.outbox import Pings


def a_socket(sid: str) -> SimpleNamespace:
    return SimpleNamespace(sid=sid, last_ping=1.0)


def test_each_planned_ping_is_due_once_in_the_order_of_the_plans() -> None:
    pings = Pings(0)
    for sid in ("a", "b"):
        pings.plan(a_socket(sid))
    assert list(pings.due()) == ["a", "b"]
    assert list(pings.due()) == []


def test_a_ping_waits_for_its_time() -> None:
    pings = Pings(60)
    pings.plan(a_socket("a"))
    assert list(pings.due()) == []


def test_a_pong_that_nobody_asked_for_plans_nothing() -> None:
    pings, socket = Pings(0), a_socket("a")
    pings.plan(socket)
    pings.plan(socket)
    assert list(pings.due()) == ["a"]
    pings.plan(socket)
    assert list(pings.due()) == []


def test_a_socket_that_has_ended_gets_no_ping() -> None:
    pings = Pings(0)
    pings.plan(a_socket("a"))
    pings.forget("a")
    pings.forget("never seen")
    assert list(pings.due()) == []
