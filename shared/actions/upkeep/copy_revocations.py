"""Keep the copy of the revocations in Redis equal to the rows, and forget rows that are too old."""

from sqlalchemy import bindparam, delete, select

from shared.actions.accounts.revoke import read_rows
from shared.core import current_link, current_settings
from shared.database.clock import read_db_moment
from shared.database.retries import retried
from shared.database.units import execute, query, write_unit
from shared.models.revocation import revocations
from shared.redis.revocations import LEEWAY, drop_stranger, read_revocations, write_revocations

# Rows that a sweep forgets at most. The next sweep takes the rest.
_BATCH = 500


def copy_revocations() -> int:
    """Write missing revocations to Redis. Forget those that are older than every token that still lives.

    Returns how many were missing or wrong in Redis.
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


_old = select(revocations.c.subject).where(revocations.c.void_until < bindparam("before")).limit(_BATCH)
_forget = delete(revocations).where(
    revocations.c.subject.in_(bindparam("subjects", expanding=True)), revocations.c.void_until < bindparam("before")
)
