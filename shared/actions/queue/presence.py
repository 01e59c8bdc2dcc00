"""The worker processes that live: each notes itself while it runs, and takes its row away when it ends."""

from sqlalchemy import ColumnElement, bindparam, delete, insert, update

from shared.database.clock import db_now
from shared.database.prepared import Id, NoRow, Prepared
from shared.database.retries import retried
from shared.database.units import execute, write_unit
from shared.models.worker import WORKER, workers

#: Milliseconds for which a worker counts as living after it was seen. It notes itself every 10 s.
LIVES = 30_000


@retried
def note_worker(worker_id: str) -> None:
    """Note that this worker process lives now."""
    with write_unit():
        if not execute(_see, {"worker_id": worker_id}):
            execute(_add, {"worker_id": worker_id, "kind": WORKER})


@retried
def forget_worker(worker_id: str) -> None:
    """Take the row of this worker process away, because it takes no further replies."""
    with write_unit():
        execute(_remove, {"worker_id": worker_id})


def was_seen_within(milliseconds: int) -> ColumnElement[bool]:
    """The condition that a process was seen so recently. A time that lies as far ahead is of a clock since set back."""
    return workers.c.seen_at.between(db_now() - milliseconds, db_now() + milliseconds)


_this = workers.c.id == bindparam("worker_id")
_see = Prepared(update(workers).where(_this).values(seen_at=db_now()).returning(workers.c.id), Id)
_add = Prepared(insert(workers).values(id=bindparam("worker_id"), kind=bindparam("kind"), seen_at=db_now()), NoRow)
_remove = Prepared(delete(workers).where(_this), NoRow)
