"""Repeat a unit that the database undid through no fault of its own: a deadlock, a long lock, a connection that broke.

The unit itself is `write_unit()` in `shared/database/units.py`.
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
#: is unknown. A server that only reads raises an InternalError, and so does one that ended an idle transaction.
DATABASE_AWAY = (OperationalError, InternalError, PoolTimeout)

log = logging.getLogger(__name__)
P = ParamSpec("P")
T = TypeVar("T")

# Seconds, at most, before the second and the third try: a bit of chance, so that two don't meet again.
_PAUSES = (0.1, 0.3)
# PostgreSQL's names for "all of it was undone". Even COMMIT may say so.
_DEADLOCK, _SERIALIZATION, _LOCK_WAIT, _FROZEN_INSIDE = "40P01", "40001", "55P03", "25P03"
_UNDONE = (_DEADLOCK, _SERIALIZATION, _LOCK_WAIT, _FROZEN_INSIDE)
# For a connection that is being closed: by an operator, a crash, or a shutdown.
_CLOSING = ("57P01", "57P02", "57P03")
# For a statement that ran too long.
_TOO_SLOW = "57014"


def retried(verb: Callable[P, T]) -> Callable[P, T]:
    """Have a verb repeated, twice at most, when its unit was undone.

    For verbs with one unit that writes, which touch the database no more after its commit: so nothing is stored or
    told twice. A COMMIT whose answer was lost is never repeated: nobody knows whether it happened.
    """

    @wraps(verb)
    def tried(*args: P.args, **kwargs: P.kwargs) -> T:
        for pause in _PAUSES:
            try:
                return verb(*args, **kwargs)
            except DBAPIError as error:
                if not was_undone(error):
                    raise
                log.warning("unit.repeated: %s in %s", type(error.orig).__name__, verb.__name__)
            time.sleep(random.uniform(0.2, 1) * pause)
        return verb(*args, **kwargs)

    return tried


def was_undone(error: DBAPIError) -> bool:
    """Whether all of the transaction is certain to be taken back, and might well pass if it is repeated."""
    before_commit = error.statement is not None  # COMMIT itself, and connecting, have none
    state = getattr(error.orig, "sqlstate", None)
    return state in _UNDONE or (before_commit and (error.connection_invalidated or state in _CLOSING))


def is_away(error: BaseException) -> bool:
    """Whether what is one of DATABASE_AWAY concerns all of it, not only what somebody else has locked."""
    return getattr(getattr(error, "orig", None), "sqlstate", None) not in (_LOCK_WAIT, _TOO_SLOW)
