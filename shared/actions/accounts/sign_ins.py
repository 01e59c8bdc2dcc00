"""Begin, renew and end a sign-in, the row that refresh tokens name. `api/access/tokens.py` signs the tokens.

All times here are the database's. So a machine with a wrong clock neither ends a sign-in nor keeps one (D-118).
"""

from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import bindparam, case, insert, update

from shared.actions.accounts.revoke import revoke, tell
from shared.actions.owner_unit import owner_unit
from shared.core import current_settings
from shared.database.clock import read_db_moment
from shared.database.retries import retried
from shared.database.tables import new_id
from shared.database.units import execute, write_unit
from shared.errors.requests import Unauthenticated
from shared.models.sign_in import sign_ins
from shared.models.user import require_in_use
from shared.redis.revocations import Revocations, of_session


@retried
def begin_sign_in(user_id: str) -> str:
    """Store a sign-in, and return its id. Raises Unauthenticated if the account is deleted or disabled by now."""
    session_id = new_id()
    with owner_unit(user_id):
        require_in_use(user_id)
        now = read_db_moment()
        row = {"id": session_id, "user_id": user_id, "created_at": now, "expires_at": now + _lifetime()}
        execute(insert(sign_ins), row)
    return session_id


@retried
def renew_sign_in(session_id: str, user_id: str) -> None:
    """Move the end of a sign-in on (D-28). Raises Unauthenticated if there is no such sign-in any more."""
    with write_unit():
        now = read_db_moment()
        renewed = execute(_renew, {"session_id": session_id, "whose": user_id, "now": now, "end": now + _lifetime()})
    if not renewed:
        raise Unauthenticated


@retried
def end_sign_in(session_id: str, user_id: str) -> None:
    """Sign out. The refresh token is refused from now on; access tokens and sockets end within seconds."""
    revoked: Revocations = {}
    with owner_unit(user_id):
        if ended := execute(_end, {"session_id": session_id, "whose": user_id, "now": read_db_moment()}, row=_Ended):
            revoked = revoke(of_session(session_id), _newest_tokens(ended))
    tell(revoked)


def end_all_sign_ins(user_id: str) -> datetime | None:
    """End all sign-ins of this user, in a unit that holds the user's lock. Returns the moment for revoke()."""
    return _newest_tokens(execute(_end_all, {"whose": user_id, "now": read_db_moment()}, row=_Ended))


class _Ended(NamedTuple):
    expires_at: datetime


def _newest_tokens(ended: list[_Ended]) -> datetime | None:
    """The moment of the newest tokens of these sign-ins, by their ends. None without sign-ins."""
    return max(row.expires_at for row in ended) - _lifetime() if ended else None


def _lifetime() -> timedelta:
    return timedelta(seconds=current_settings().refresh_token_seconds)


_lives = sign_ins.c.ended_at.is_(None)
_this = (sign_ins.c.id == bindparam("session_id"), sign_ins.c.user_id == bindparam("whose"), _lives)
# The end never moves back, even if the clock does. So it tells when the newest tokens were issued.
_later = case((sign_ins.c.expires_at > bindparam("end"), sign_ins.c.expires_at), else_=bindparam("end"))
_renew = update(sign_ins).where(*_this, sign_ins.c.expires_at > bindparam("now")).values(expires_at=_later)
_renew = _renew.returning(sign_ins.c.id)
_end = update(sign_ins).where(*_this).values(ended_at=bindparam("now")).returning(sign_ins.c.expires_at)
_end_all = (
    update(sign_ins)
    .where(sign_ins.c.user_id == bindparam("whose"), _lives)
    .values(ended_at=bindparam("now"))
    .returning(sign_ins.c.expires_at)
)
