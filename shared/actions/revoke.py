"""Void the access tokens of a user or of one sign-in. The database's rows are the truth, Redis has a copy of them."""

import time

from sqlalchemy import bindparam, delete, insert, select, update

from shared.core import current_link, current_settings
from shared.database.clock import read_db_moment
from shared.database.retries import retried
from shared.database.units import execute, query, write_unit
from shared.models.revocation import revocations
from shared.redis.revocations import LEEWAY, Voids, drop_stranger, read_revocations, write_revocations

# Rows that a sweep forgets; the next one takes the rest.
_BATCH = 500

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
_old = select(revocations.c.subject).where(revocations.c.void_until < bindparam("before")).limit(_BATCH)
_forget = delete(revocations).where(
    revocations.c.subject.in_(bindparam("subjects", expanding=True)), revocations.c.void_until < bindparam("before")
)


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
    return {row.subject: row.void_until for row in query(_all)}


def copy_revocations() -> int:
    """Make the copy in Redis what the rows say, and forget what is older than any token that still lives; how many
    were missing there.
    """
    rows, link = read_rows(), current_link()
    before = int(read_db_moment().timestamp()) - current_settings().access_token_seconds - LEEWAY
    if any(until < before for until in rows.values()):
        _forget_old(before)
    there = read_revocations(link)
    if there is None and drop_stranger(link):
        there = {}
    if there is None:
        return 0
    missing = {subject: until for subject, until in rows.items() if until >= before and there.get(subject) != until}
    write_revocations(link, missing, [subject for subject, until in there.items() if until < before])
    return len(missing)


@retried
def _forget_old(before: int) -> None:
    subjects = query(_old, {"before": before}).scalars()
    with write_unit():
        execute(_forget, {"subjects": subjects, "before": before})
