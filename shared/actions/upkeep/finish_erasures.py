"""Finish the deletions whose rows are not all erased yet: they are long, or a program died on the way."""

import logging

from sqlalchemy import func, select

from shared.actions.messages.erasures import erase_more
from shared.database.prepared import columns_of
from shared.database.retries import DATABASE_AWAY, is_away
from shared.database.units import query
from shared.models.erasure import ErasureRow, erasures

log = logging.getLogger(__name__)

# Deletions that get their turn, of about a second each, before the table is read again.
_BATCH = 100


def finish_erasures() -> int:
    """Erase further rows of every deletion that is not finished. Returns how many rows."""
    erased = 0
    for erasure in query(_unfinished, row=ErasureRow):
        try:
            erased += erase_more(erasure)
        except DATABASE_AWAY as error:
            if is_away(error):
                raise
            log.warning("erasure.held: another transaction locks rows of user=%s", erasure.owner_id)
    return erased


# in random order, so that deletions that cannot go on do not fill every batch
_unfinished = select(*columns_of(ErasureRow, erasures)).order_by(func.random()).limit(_BATCH)
