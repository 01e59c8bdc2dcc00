"""Repeats a unit that the database has undone: after a deadlock, a long lock wait, or a broken connection.

`write_unit()` in `shared/database/units.py` is the unit itself.
"""

import logging
import random
import time
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from sqlalchemy.exc import DBAPIError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

#: The errors of a database that is away, restarts, or stays locked too long. The transaction was undone, or its outcome
#: is unknown. A read-only server raises an InternalError. So does a server that has ended an idle transaction.
DATABASE_AWAY = (OperationalError, InternalError, PoolTimeout)

log = logging.getLogger(__name__)
P = ParamSpec("P")
T = TypeVar("T")

# Seconds, at most, before the second and the third try. The real pause is random, so that two units do not meet again.
_PAUSES = (0.1, 0.3)
# PostgreSQL's codes for "the whole transaction was undone". Even COMMIT may answer with one (D-66).
_DEADLOCK, _SERIALIZATION, _LOCK_WAIT, _FROZEN_INSIDE = "40P01", "40001", "55P03", "25P03"
_UNDONE = (_DEADLOCK, _SERIALIZATION, _LOCK_WAIT, _FROZEN_INSIDE)
# PostgreSQL's codes when an operator, a crash or a shutdown closes the connection.
_CLOSING = ("57P01", "57P02", "57P03")
# PostgreSQL's codes for a statement that ran too long, and for a value beyond a limit of the server.
_TOO_SLOW, _TOO_LARGE = "57014", "54000"
_REPEATED = "unit.repeated: %s in %s; the database undid the transaction, and the unit is tried again"


def retried(verb: Callable[P, T]) -> Callable[P, T]:
    """Repeat a verb, twice at most, when its unit was undone.

    The verb must have one unit that writes, and must not touch the database after its commit. Otherwise a repeat could
    store or tell something twice. After a COMMIT without an answer there is no repeat, because it may have happened.
    """

    @wraps(verb)
    def tried(*args: P.args, **kwargs: P.kwargs) -> T:
        for pause in _PAUSES:
            try:
                return verb(*args, **kwargs)
            except DBAPIError as error:
                if not was_undone(error):
                    raise
                log.warning(_REPEATED, type(error.orig).__name__, verb.__name__)
            time.sleep(random.uniform(0.2, 1) * pause)
        return verb(*args, **kwargs)

    return tried


def was_undone(error: DBAPIError) -> bool:
    """Whether the whole transaction was certainly undone, and may succeed if it is repeated (D-66)."""
    before_commit = error.statement is not None  # the error of COMMIT, or of connecting, names no statement
    state = getattr(error.orig, "sqlstate", None)
    return state in _UNDONE or (before_commit and (error.connection_invalidated or state in _CLOSING))


def is_away(error: BaseException) -> bool:
    """Whether an error of DATABASE_AWAY means the whole database, not one row or one statement."""
    return getattr(getattr(error, "orig", None), "sqlstate", None) not in (_LOCK_WAIT, _TOO_SLOW, _TOO_LARGE)
