"""The access tokens that were revoked before they expired, as the database said at most two seconds ago.

Each API process reads the table, not its copy in Redis. So it refuses revoked tokens while Redis is away, too.
"""

import logging
import threading
import time

from flask import current_app
from sqlalchemy.exc import SQLAlchemyError

from api.access.tokens import Claims
from shared.actions.accounts.revoke import read_rows
from shared.redis import revocations

log = logging.getLogger(__name__)

# Seconds between two readings of the table. A process without requests reads nothing (D-30).
_REST = 2.0
# Seconds that a request waits while another request reads the table. Then the request uses the last reading.
_PATIENCE = 0.5


class Revoked:
    """The revocations that one process knows. While the database is away, it uses its last reading."""

    def __init__(self) -> None:
        self._revocations: dict[str, int] = {}
        self._due = 0.0
        self._reading = threading.Lock()

    def holds(self, claims: Claims) -> bool:
        """Whether the token was revoked."""
        if time.monotonic() >= self._due and self._reading.acquire(timeout=_PATIENCE):
            try:
                self._read()
            finally:
                self._reading.release()
        return revocations.is_revoked(self._revocations, claims.user_id, claims.session_id, claims.issued)

    def _read(self) -> None:
        if time.monotonic() < self._due:
            return  # another thread has just read the table
        try:
            self._revocations = read_rows()
        except SQLAlchemyError as error:
            log.warning("revoked.not_read: %s; this process uses its last reading", type(error).__name__)
        self._due = time.monotonic() + _REST


def is_revoked(claims: Claims) -> bool:
    """Whether the token was revoked, as far as this process knows."""
    revoked = current_app.extensions["revoked"]
    assert isinstance(revoked, Revoked)
    return revoked.holds(claims)
