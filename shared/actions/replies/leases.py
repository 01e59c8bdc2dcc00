"""Renew the leases of the replies that a worker writes, and find the replies that the worker has lost."""

from typing import NamedTuple

from sqlalchemy import bindparam, select, update

from shared.actions.replies.claim import Claim
from shared.actions.replies.states import WRITING
from shared.core import current_settings
from shared.database.clock import db_now
from shared.database.retries import retried
from shared.database.units import execute, query, write_unit
from shared.models.message import IS_OPEN, has_status, messages
from shared.models.status import Status


@retried
def renew_leases(running: list[tuple[Claim, str, int]]) -> set[tuple[str, int]]:
    """Renew the lease of each (claim, text so far, deltas so far), and save the text as a checkpoint.

    Returns the (id, attempt) of each renewed reply. It leaves out a reply whose row another transaction has locked, so
    that one locked row costs no other reply its lease (D-116). It also leaves out a superseded reply.
    """
    lease_ms = int(current_settings().lease_seconds * 1000)
    rows = {
        (claim.id, claim.attempt): {
            "reply_id": claim.id,
            "of_attempt": claim.attempt,
            "lease_ms": lease_ms,
            "text": text,
            "pieces": pieces,
        }
        for claim, text, pieces in running
    }
    with write_unit():
        ours = execute(_lock_free, {"ids": [reply_id for reply_id, _ in rows]}, row=_Running)
        free = [(row.id, row.attempt) for row in ours if (row.id, row.attempt) in rows]
        if free:
            execute(_renew, [rows[attempt] for attempt in free])
    return set(free)


def still_ours(claims: list[Claim]) -> set[tuple[str, int]]:
    """The (id, attempt) of each reply that still runs with an attempt of these claims."""
    rows = query(_running.where(messages.c.id.in_({claim.id for claim in claims})), {}, row=_Running)
    return {(row.id, row.attempt) for row in rows} & {(claim.id, claim.attempt) for claim in claims}


def text_may_be_read(claim: Claim) -> bool:
    """Whether somebody may still read the live text of this attempt: until its reply ends, or has another attempt.

    A reply that waits for another attempt shows the text of the last one, and a stop keeps that text (D-20).
    """
    return bool(query(_open, {"reply_id": claim.id, "of_attempt": claim.attempt}))


class _Running(NamedTuple):
    id: str
    attempt: int


_running = select(messages.c.id, messages.c.attempt).where(has_status(Status.RUNNING))
# Renewals do not lock the owner (D-64). They wait for no row either, so no deadlock has one of them for a part.
_lock_free = _running.where(messages.c.id.in_(bindparam("ids", expanding=True))).with_for_update(
    skip_locked=True, key_share=True
)
_open = select(messages.c.id).where(
    messages.c.id == bindparam("reply_id"), messages.c.attempt == bindparam("of_attempt"), IS_OPEN
)
_renew = (
    update(messages)
    .where(messages.c.id == bindparam("reply_id"), WRITING)
    .values(
        lease_until=db_now() + bindparam("lease_ms"),
        content=bindparam("text"),
        live_index=bindparam("pieces"),
    )
)
