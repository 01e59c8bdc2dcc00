"""A socket pays for each read, gets its budget back with time, and lets others run while it always has input."""

from typing import Any

import pytest

from api.sockets import budget
from api.sockets.budget import MAX_MESSAGE, Budget, Flood, Metered


class Sender:
    """A connection whose client always sends."""

    sendall = settimeout = shutdown = close = None

    def recv(self, size: int) -> bytes:
        return bytes(size)


class Clock:
    """The time, and how often somebody let the others run."""

    def __init__(self) -> None:
        self.now, self.pauses, self.slept = 0.0, 0, 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.pauses += 1
        self.slept += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(budget, "time", clock)
    return clock


class Neighbourhood:
    """The strangers of one address. `shared` is None for a client that has shown its token."""

    def __init__(self, clock: Clock, shared: Budget | None) -> None:
        self._clock, self.shared, self.dropped = clock, shared, False

    def budget_of(self, _connection: object) -> Budget | None:
        return self.shared

    def has_dropped(self, _connection: object) -> bool:
        return self.dropped

    def rest(self, _connection: object, seconds: float) -> None:
        self._clock.sleep(seconds)


def a_client(strangers: Any) -> Metered:
    sender: Any = Sender()
    return Metered(sender, strangers)


@pytest.fixture
def metered(clock: Clock) -> Metered:
    return a_client(Neighbourhood(clock, None))


@pytest.fixture
def street(clock: Clock) -> Neighbourhood:
    """The strangers of an address, which share 1 KiB a second. None waits for longer than 2 s."""
    return Neighbourhood(clock, Budget(0, 1024, longest=2.0))


@pytest.fixture
def stranger(clock: Clock) -> Metered:
    """One that has not shown its token, and has an address of its own."""
    return a_client(Neighbourhood(clock, Budget(10**9, 1)))


def reads_until_flood(metered: Metered, size: int) -> int:
    for count in range(100_000):
        try:
            metered.recv(size)
        except Flood:
            return count
    raise AssertionError("no limit")


def test_small_reads_cost_too(metered: Metered) -> None:
    assert 200 < reads_until_flood(metered, 0) < 500


def test_one_message_of_the_largest_size_is_allowed_in_the_segments_of_a_slow_network(metered: Metered) -> None:
    for _ in range(MAX_MESSAGE // 1400 + 1):
        metered.recv(1400)


def test_two_of_them_at_once_are_not(metered: Metered) -> None:
    assert reads_until_flood(metered, MAX_MESSAGE) == 1


def test_the_budget_comes_back_with_time_and_never_grows_beyond_its_start(metered: Metered, clock: Clock) -> None:
    first = reads_until_flood(metered, 0)
    clock.now += 3600
    assert reads_until_flood(metered, 0) == pytest.approx(first, abs=1)


def test_five_messages_a_second_go_on_for_ever(metered: Metered, clock: Clock) -> None:
    for _ in range(5_000):
        for size in (2, 4, 1):
            metered.recv(size)
        clock.now += 0.2


def test_a_message_with_a_token_makes_no_pause_and_a_stream_makes_many(metered: Metered, clock: Clock) -> None:
    for size in (4, 4, 500):
        metered.recv(size)
    assert clock.pauses == 0
    for _ in range(50):
        metered.recv(2)
    assert clock.pauses > 5


def test_before_its_token_a_client_may_send_it_a_few_times(stranger: Metered) -> None:
    for _ in range(4):
        for size in (4, 4, 2100):
            stranger.recv(size)
    assert 2 <= reads_until_flood(stranger, 0) < 20


def test_the_token_widens_the_budget(street: Neighbourhood) -> None:
    metered = a_client(street)
    for _ in range(20):
        metered.recv(0)
    street.shared = None
    assert reads_until_flood(metered, 0) > 200


def test_a_client_waits_until_its_address_has_so_much(street: Neighbourhood, clock: Clock) -> None:
    a_client(street).recv(512)
    assert clock.slept == 1.0


def test_no_debt_of_the_address_lets_a_client_wait_for_longer_than_a_moment(
    street: Neighbourhood, clock: Clock
) -> None:
    for _ in range(10):
        a_client(street).recv(10_000)
    assert clock.slept <= 10 * 2.0


def test_the_address_does_not_pay_for_a_client_that_is_thrown_out(street: Neighbourhood, clock: Clock) -> None:
    for _ in range(10):
        with pytest.raises(Flood):
            a_client(street).recv(MAX_MESSAGE)
    a_client(street).recv(512)
    assert clock.slept == 1.0


def test_nothing_more_comes_from_a_client_that_was_dropped(street: Neighbourhood) -> None:
    metered = a_client(street)
    assert metered.recv(5) == bytes(5)
    street.dropped = True
    assert metered.recv(5) == b""
