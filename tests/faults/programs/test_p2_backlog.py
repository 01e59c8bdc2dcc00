"""P2: a sweeper was down for an hour (F31). The stuck replies drain, each one once, and fresh replies do not wait.

tests/integration/queue/test_sweep_backlog.py shows the same step by step, with sweepers that are calls.
"""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import case, func, select, update

from shared.models.message import IS_OPEN, has_status, messages
from shared.models.status import Status
from tests.backlog import add_backlog
from tests.eventually import eventually
from tests.faults.conftest import given, mostly_on
from tests.faults.lab.checker.invariants import g2_all_final, g3_final_is_final
from tests.faults.lab.checker.money import g4_money_adds_up, g5_money_matches_outcomes
from tests.faults.lab.checker.rules import Rules
from tests.faults.lab.checker.violation import Violation
from tests.faults.lab.evidence import Evidence
from tests.faults.lab.gathering import stored
from tests.faults.lab.people import Load
from tests.faults.lab.trial import Trial

STUCK, VERY_MANY = 300, 10_000
# At least this share of the posts made meanwhile has its answer before the backlog is gone.
SHARE = 0.9
# Of fifteen running replies, LIVE have a living worker, AGAIN may run again, and FAIL may not. A reply that runs again
# after its worker's death gets a process of its own, so AGAIN is small.
LIVE, AGAIN, FAIL = 5, 1, 9
HOUR = 3_600_000
# Seconds. The sweepers take a lease that is longer for a mistake, and cut it.
LEASE = 45
# A living worker keeps its replies, however much a busy machine delays its renewals.
PATIENT = {"HOLDFAST_LEASE_SECONDS": str(LEASE)}
HAS_A_TURN = messages.c.dispatched_at.is_not(None)


class Backlog:
    """Open replies of people without a tab. Only the rows of these people can be judged."""

    def __init__(self, trial: Trial, count: int) -> None:
        self._engine, self._clock, self._began = trial.deployment.engine, trial.clock, trial.clock()
        with self._engine.begin() as connection:
            self._owners = add_backlog(connection, count)
        self._open = messages.c.owner_id.in_(self._owners) & IS_OPEN

    def age(self, *which: Any, **values: Any) -> None:
        with self._engine.begin() as connection:
            connection.execute(update(messages).where(self._open, *which).values(values))

    def overdue(self) -> None:
        """Move the deadlines of the waiting replies into the past."""
        self.age(has_status(Status.PENDING), deadline_at=self._began - HOUR)

    def lapsed(self, *which: Any, failures: Any = 1) -> None:
        """Let their worker be dead. A reply with one failure has had its last attempt."""
        lost = {"status": "running", "attempt": 1, "failures": failures, "claimed_by": "a dead worker"}
        self.age(HAS_A_TURN, *which, **lost, lease_until=self._began - HOUR)

    @contextmanager
    def renewed(self, seconds: int, *which: Any) -> Iterator[Callable[[], None]]:
        """Renew these leases as a living worker does. The block gets the call that ends this worker."""
        over = threading.Event()

        def renew() -> None:
            self.age(*which, lease_until=self._clock() + seconds * 1000)

        def live() -> None:
            while not over.wait(seconds / 3):
                renew()

        def die() -> None:
            over.set()
            life.result()

        renew()
        with ThreadPoolExecutor(1) as thread:
            life = thread.submit(live)
            try:
                yield die
            finally:
                over.set()

    def left(self) -> int:
        return sum(count for (status, *_), count in self.fates().items() if status in ("pending", "running"))

    def fates(self) -> dict[tuple[str, int, str | None], int]:
        """Count the replies by state, attempt and error code."""
        fate = (messages.c.status, messages.c.attempt, messages.c.error_code)
        mine = messages.c.owner_id.in_(self._owners) & messages.c.reply_to.is_not(None)
        with self._engine.connect() as connection:
            rows = connection.execute(select(*fate, func.count()).where(mine).group_by(*fate)).all()
        return {(status, attempt, code): count for status, attempt, code, count in rows}

    def come_to(self, fates: dict[tuple[str, int, str | None], int]) -> bool:
        """Whether the replies have these fates. If not, the assertion shows the difference."""
        assert self.fates() == fates
        return True

    def violations(self) -> list[Violation]:
        """The violations that rows alone can show: of one ending for each reply, and of its money (G2 to G5)."""
        unseen: dict[str, Any] = {"outcomes": [], "other_calls": [], "requests": [], "heard": {}, "shown": {}}
        seen = Evidence(**stored(self._engine, self._owners), **unseen, versions={}, synced={}, uninvited=[], logs="")
        guards = (g2_all_final, g3_final_is_final, g4_money_adds_up, g5_money_matches_outcomes)
        return [violation for guard in guards for violation in guard(seen, Rules())]


def done(trial: Trial, ids: list[str]) -> int:
    with trial.deployment.engine.connect() as connection:
        completed = select(func.count()).where(messages.c.id.in_(ids), has_status(Status.COMPLETED))
        return int(connection.execute(completed).scalar_one())


@mostly_on("postgresql")
@given("worker", **PATIENT)
def test_two_sweepers_leave_run_again_or_fail_what_is_stuck_each_reply_once(trial: Trial) -> None:
    trial.programs["sweeper"].kill()
    backlog, fate = Backlog(trial, STUCK), messages.c.seq % 15
    # Given replies of a living worker, replies whose worker died, and replies whose worker died for the last time
    backlog.lapsed(failures=case((fate == 0, 0), else_=1))
    backlog.age(HAS_A_TURN, fate >= AGAIN + FAIL, claimed_by="a worker that lives")
    person = trial.person()
    # When two sweepers begin at once, and somebody posts
    with (
        backlog.renewed(LEASE, messages.c.claimed_by == "a worker that lives") as worker_dies,
        trial.programs.another("sweeper", **PATIENT),
    ):
        trial.restart("sweeper", **PATIENT)
        trial.wait_for_status(person.ask("chunks=3"), "completed", within=10)
        # Then some are left, some run again, and most fail. Replies behind the ones that ran again get their turn
        of_each = STUCK // 2 // 15
        fates = {
            ("running", 1, None): LIVE * of_each,
            ("completed", 2, None): AGAIN * of_each,
            ("failed", 1, "worker_lost"): FAIL * of_each,
            ("completed", 1, None): AGAIN * of_each,
            ("pending", 0, None): (LIVE + FAIL) * of_each,  # behind a running reply, or in a chat parked by a failure
        }
        eventually(lambda: backlog.come_to(fates), within=30)
        # And when no worker is left that could end the rest
        worker_dies()
        backlog.lapsed()
        backlog.overdue()
        eventually(lambda: backlog.left() == 0, within=30)
        assert backlog.violations() == []
        trial.check().must_be_clean()


@pytest.mark.long
@pytest.mark.timeout(0)
@pytest.mark.usefixtures("anew")  # before `trial`, because both tests give their replies the same ids
def test_ten_thousand_stuck_replies_drain_while_fresh_ones_are_answered(trial: Trial) -> None:
    trial.programs["sweeper"].kill()
    people = [trial.person() for _ in range(3)]
    # Given one half past its deadline without a turn, and one half whose worker died for the last time
    backlog = Backlog(trial, VERY_MANY)
    backlog.lapsed()
    backlog.overdue()
    trial.restart("sweeper")
    with trial.programs.another("sweeper"), Load(people, "chunks=3", pause=3.0):
        eventually(lambda: backlog.left() == 0, within=600)
        posted = trial.history.of_kind("ok")
        answered = done(trial, [outcome.reply_id for outcome in posted])
    print(f"\n{trial.deployment.kind}: {answered} of {len(posted)} fresh replies before the last of {VERY_MANY}")
    assert answered >= SHARE * len(posted) > 5
    assert backlog.violations() == []
    trial.check().must_be_clean()
