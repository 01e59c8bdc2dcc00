"""Keep the copy of the revocations in Redis equal to the rows, and forget rows that are too old."""

from sqlalchemy import bindparam, select

from shared.actions.accounts.revoke import read_rows
from shared.actions.upkeep.forget import forget
from shared.core import current_link, current_settings
from shared.database.clock import read_db_moment
from shared.models.revocation import revocations
from shared.redis.revocations import LEEWAY, drop_stranger, read_revocations, write_revocations


def copy_revocations() -> int:
    """Write missing revocations to Redis. Forget those that are older than every token that still lives.

    Returns how many were missing or wrong in Redis.
    """
    rows, link = read_rows(), current_link()
    before = int(read_db_moment().timestamp()) - current_settings().access_token_seconds - LEEWAY
    if any(until < before for until in rows.values()):
        forget(revocations, _old, {"before": before})
    there = read_revocations(link)
    if there is None and drop_stranger(link):
        there = {}
    if there is None:
        return 0
    missing = {subject: until for subject, until in rows.items() if until >= before and there.get(subject) != until}
    write_revocations(link, missing, [subject for subject, until in there.items() if until < before])
    return len(missing)


_old = select(revocations.c.subject).where(revocations.c.void_until < bindparam("before"))
