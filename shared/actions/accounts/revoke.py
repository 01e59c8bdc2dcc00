"""Void the access tokens of a user or of one sign-in. The database's rows are the truth, Redis has a copy of them."""

import time

from sqlalchemy import bindparam, delete, insert, select, update

from shared.core import current_link
from shared.database.units import execute, query
from shared.models.revocation import RevocationRow, revocations
from shared.redis.revocations import LEEWAY, Voids, write_revocations

_subject = revocations.c.subject == bindparam("whose")
_drop = delete(revocations).where(_subject)
_add = insert(revocations).values(subject=bindparam("whose"), void_until=bindparam("until"))
# Never up: whoever enables twice would else sign out who has come back in between.
_narrow = (
    update(revocations)
    .where(_subject, revocations.c.void_until > bindparam("until"))
    .values(void_until=bindparam("until"))
    .returning(revocations.c.subject)
)
_all = select(revocations.c.subject, revocations.c.void_until)


def revoke(subject: str) -> Voids:
    """Void all tokens issued until now, in a unit that holds the owner's lock; after it, tell() what this returns.

    And those of the next half minute: another machine's clock may run ahead, or a token be signed this very moment.
    """
    until = int(time.time()) + LEEWAY
    execute(_drop, {"whose": subject})
    execute(_add, {"whose": subject, "until": until})
    return {subject: until}


def revoke_no_more(subject: str) -> Voids:
    """Tokens from now on are good again, older ones are not; otherwise as revoke()."""
    until = int(time.time()) - 1
    return {subject: until} if execute(_narrow, {"whose": subject, "until": until}) else {}


def tell(voids: Voids) -> None:
    """Right after the commit, so that the socket server needn't wait for a sweep."""
    write_revocations(current_link(), voids)


def read_rows() -> dict[str, int]:
    """All that is revoked, as the database says."""
    return {row.subject: row.void_until for row in query(_all, row=RevocationRow)}
