"""Give a reply back because its worker ends, not because anything went wrong: another one runs it again at once."""

from typing import Any

from sqlalchemy import bindparam, case, update

from shared.actions.claim_reply import Claim
from shared.actions.dispatch import dispatch
from shared.actions.finish_reply import WRITING
from shared.core import current_settings
from shared.db import execute, utc_now, write_unit
from shared.models.message import Status, messages
from shared.models.user import lock_owner
from shared.queues import hand_over
from shared.units import retried

# So many drains are nobody's fault. A reply that meets yet another counts it as a failure: it may be what stops them.
_HARMLESS = 2

_failures = messages.c.failures + case((messages.c.drains < _HARMLESS, 0), else_=1)
_release = (
    update(messages)
    .where(messages.c.id == bindparam("reply_id"), WRITING, _failures < bindparam("most_failures"))
    .values(
        status=Status.PENDING,
        drains=messages.c.drains + 1,
        failures=_failures,
        lease_until=None,
        claimed_by=None,
        dispatched_at=None,
        updated_at=bindparam("at"),
    )
    .returning(messages.c.id)
)


@retried
def release_reply(claim: Claim) -> bool:
    """Let it run again at once, also if text was shown; False if its failures are used up or it isn't ours any more."""
    values: dict[str, Any] = {
        "reply_id": claim.id,
        "of_attempt": claim.attempt,
        "most_failures": current_settings().max_failures,
        "at": utc_now(),
    }
    with write_unit():
        lock_owner(claim.owner_id)
        released = execute(_release, values).first()
        turns = dispatch(claim.owner_id)
    hand_over(turns)
    return released is not None
