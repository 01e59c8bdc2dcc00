"""P2, a sweeper that was down for an hour (F31): ten thousand stuck replies drain, and fresh ones do not wait for them.

A smaller backlog, step by step, is in tests/integration/test_sweep_backlog.py.
"""

import pytest
from sqlalchemy import func, select, update

from benchmarks.backlog import add_waiting
from shared.models.message import IS_OPEN, Status, has_status, messages
from tests.eventually import eventually
from tests.faults.people import Load
from tests.faults.trial import Trial

STUCK = 10_000
# Of the posts made meanwhile, those that have their answer before the backlog is gone, at least.
SHARE = 0.9


def add_stuck(trial: Trial) -> None:
    """Half of them past their deadline without a turn, half of a worker that died, each for the last time."""
    an_hour_ago = messages.c.deadline_at - 25 * 3_600_000  # add_waiting() gives them a day
    stuck = update(messages).where(messages.c.owner_id.not_in([person.id for person in trial.people]), IS_OPEN)
    lost = {"status": "running", "attempt": 1, "failures": 1, "lease_until": an_hour_ago, "claimed_by": "a dead worker"}
    with trial.deployment.engine.begin() as connection:
        add_waiting(connection, STUCK)
        connection.execute(stuck.where(messages.c.dispatched_at.is_not(None)).values(lost))
        connection.execute(stuck.where(messages.c.dispatched_at.is_(None)).values(deadline_at=an_hour_ago))


def left(trial: Trial) -> int:
    with trial.deployment.engine.connect() as connection:
        others = messages.c.owner_id.not_in([person.id for person in trial.people])
        return int(connection.execute(select(func.count()).where(others, IS_OPEN)).scalar_one())


def done(trial: Trial, ids: list[str]) -> int:
    with trial.deployment.engine.connect() as connection:
        completed = select(func.count()).where(messages.c.id.in_(ids), has_status(Status.COMPLETED))
        return int(connection.execute(completed).scalar_one())


@pytest.mark.long
@pytest.mark.timeout(0)
def test_ten_thousand_stuck_replies_drain_while_fresh_ones_are_answered(trial: Trial) -> None:
    trial.programs["sweeper"].kill()
    people = [trial.person() for _ in range(3)]
    add_stuck(trial)
    trial.restart("sweeper")
    with trial.programs.another("sweeper"), Load(people, "chunks=3", pause=3.0):
        eventually(lambda: left(trial) == 0, within=600)
        posted = trial.history.of_kind("ok")
        answered = done(trial, [outcome.reply_id for outcome in posted])
    print(f"\n{trial.deployment.kind}: {answered} of {len(posted)} fresh replies before the last of {STUCK}")
    assert answered >= SHARE * len(posted) > 5
    trial.check().must_be_clean()
