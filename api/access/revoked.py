"""The access tokens that were revoked, and the time, as the database said at most two seconds ago.

Each API process reads the table, not its copy in Redis. So it refuses revoked tokens while Redis is away, too. It
judges tokens by the database's clock, because that clock issues and revokes them (D-118).
"""

import logging
import threading
import time

from flask import current_app
from sqlalchemy.exc import SQLAlchemyError

from api.access.tokens import Claims
from shared.actions.accounts.revoke import read_rows
from shared.database.clock import read_db_moment
from shared.redis import revocations

log = logging.getLogger(__name__)

# Seconds between two readings of the table. A process without requests reads nothing (D-30).
_REST = 2.0
# Seconds that a request waits while another request reads the table. Then the request uses the last reading.
_PATIENCE = 0.5


class Revoked:
    """The revocations and the clock that one process knows. While the database is away, it uses its last reading."""

    def __init__(self) -> None:
        self._revocations: dict[str, int] = {}
        # The database's clock minus the monotonic clock. Before the first reading, this machine's clock has to do.
        self._offset = time.time() - time.monotonic()
        self._due = 0.0
        self._patience = _PATIENCE
        self._reading = threading.Lock()

    def holds(self, claims: Claims) -> bool:
        """Whether the token was revoked."""
        self._read_if_due()
        return revocations.is_revoked(self._revocations, claims.user_id, claims.session_id, claims.issued)

    def now(self) -> float:
        """The database's clock, in seconds since 1970."""
        self._read_if_due()
        return time.monotonic() + self._offset

    def _read_if_due(self) -> None:
        """Read the table, or wait for another thread that does.

        Once a thread has waited for too long, no other one waits for the same reading.
        """
        if time.monotonic() < self._due:
            return
        if not self._reading.acquire(timeout=self._patience):
            self._patience = 0.0  # the database hangs, so all threads use the last reading until this one ends
            return
        try:
            self._read()
        finally:
            self._patience = _PATIENCE
            self._reading.release()

    def _read(self) -> None:
        if time.monotonic() < self._due:
            return  # another thread has just read the table
        try:
            self._revocations = read_rows()
            self._offset = read_db_moment().timestamp() - time.monotonic()
        except SQLAlchemyError as error:
            log.warning("revoked.not_read: %s; this process uses its last reading", type(error).__name__)
        self._due = time.monotonic() + _REST


def known() -> Revoked:
    """The one of this process."""
    revoked = current_app.extensions["revoked"]
    assert isinstance(revoked, Revoked)
    return revoked
