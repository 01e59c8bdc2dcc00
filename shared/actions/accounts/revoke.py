"""Revoke the access tokens of a user or of one sign-in. The database's rows are the truth; Redis has a copy.

Tokens are issued, revoked and forgotten by the database's clock (D-118).
"""

from datetime import datetime

from sqlalchemy import bindparam, delete, insert, select, update

from shared.core import current_link
from shared.database.clock import read_db_moment
from shared.database.units import execute, query
from shared.models.revocation import RevocationRow, revocations
from shared.redis.revocations import LEEWAY, Revocations, write_revocations


def revoke(subject: str, newest: datetime | None = None) -> Revocations:
    """Revoke all tokens issued until now, in a unit that holds the owner's lock. After the commit, tell() the answer.

    Tokens of the next half minute are revoked too (D-29): a token may be signed at this very moment. `newest` is the
    moment of the newest tokens. It lies ahead if the clock was set back since.
    """
    now = read_db_moment()
    until = int(max(now, newest or now).timestamp()) + LEEWAY
    execute(_drop, {"whose": subject})
    execute(_add, {"whose": subject, "until": until})
    return {subject: until}


def revoke_no_more(subject: str) -> Revocations:
    """Accept tokens again that are issued from now on. Older tokens stay revoked. Call tell() as after revoke()."""
    until = int(read_db_moment().timestamp()) - 1
    return {subject: until} if execute(_narrow, {"whose": subject, "until": until}) else {}


def tell(revoked: Revocations) -> None:
    """Copy revocations to Redis right after the commit, so that the socket server needs no sweep."""
    write_revocations(current_link(), revoked)


def read_rows() -> dict[str, int]:
    """All revocations, as the database has them."""
    return {row.subject: row.void_until for row in query(_all, row=RevocationRow)}


_subject = revocations.c.subject == bindparam("whose")
_drop = delete(revocations).where(_subject)
_add = insert(revocations).values(subject=bindparam("whose"), void_until=bindparam("until"))
# The end only moves earlier. Otherwise a second enable_account() would sign out a user who has come back (D-29).
_narrow = (
    update(revocations)
    .where(_subject, revocations.c.void_until > bindparam("until"))
    .values(void_until=bindparam("until"))
    .returning(revocations.c.subject)
)
_all = select(revocations.c.subject, revocations.c.void_until)
