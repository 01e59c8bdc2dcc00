"""The clock that tests wait and measure by, on a made-up machine."""

import pytest

from tests.fair_clock import FairClock, cores_of_ours, threads_that_want_a_core


class Machine:
    """A machine with two cores. A test sets the number of threads that want one, and moves the time."""

    def __init__(self) -> None:
        self.time, self.wanting = 1_000.0, 1.0
        self.clock = FairClock(lambda: self.time, lambda: self.wanting, cores=2)

    def run(self, seconds: float, looks: int = 0) -> float:
        """Let real seconds go by. Returns the clock's seconds in that time."""
        looks = looks or round(seconds / 0.05)
        before = self.clock.now()
        for _ in range(looks):
            self.time += seconds / looks
            self.clock.look()
        return self.clock.now() - before


@pytest.fixture
def machine() -> Machine:
    return Machine()


@pytest.mark.parametrize(("wanting", "seconds"), [(1, 10), (2, 10), (4, 5), (8, 2.5), (16, 1.25), (48, 10 / 12)])
def test_ten_seconds_count_for_less_the_more_threads_want_a_core(
    machine: Machine, wanting: float, seconds: float
) -> None:
    machine.wanting = wanting
    assert machine.run(10) == pytest.approx(seconds)


def test_it_never_stands_still(machine: Machine) -> None:
    machine.wanting = 1_000
    assert machine.run(60) == pytest.approx(5)


def test_a_look_that_comes_late_counts_little_however_few_want_a_core(machine: Machine) -> None:
    assert machine.run(0.3, looks=1) == pytest.approx(0.1)  # the process had no core in between
    assert machine.run(6, looks=1) == pytest.approx(0.5)


def test_it_does_not_go_back_when_real_time_does(machine: Machine) -> None:
    before = machine.clock.now()
    machine.time -= 3_600
    assert machine.clock.now() == before


def test_it_tells_afterwards_how_long_it_was_between_two_moments(machine: Machine) -> None:
    machine.run(10)
    machine.wanting = 8
    machine.run(10)
    machine.wanting = 2
    machine.run(10)
    for began, ended, seconds in [
        (1_000, 1_010, 10),
        (1_010, 1_020, 2.5),
        (1_005, 1_025, 12.5),
        (1_012, 1_012.02, 0.005),
    ]:
        assert machine.clock.between(began, ended) == pytest.approx(seconds, abs=0.001)
    assert machine.clock.between(1_025, 1_005) == pytest.approx(-12.5)
    assert machine.clock.between(990, 1_005) == pytest.approx(15)  # the clock has not looked yet


def test_this_machine_tells_what_it_has_to_do() -> None:
    assert cores_of_ours() >= 1
    assert threads_that_want_a_core() >= 1  # this thread itself


def test_a_clock_that_was_started_looks_by_itself() -> None:
    clock = FairClock().start()
    began = clock.real()
    while clock.now() < 0.3:
        pass
    assert clock.real() - began >= 0.29
