"""Let a running reply wait again for another attempt: its model failed, or its worker died or ends."""

from typing import Any

from shared.actions.owner_unit import owner_unit
from shared.actions.queue.dispatch import dispatch
from shared.actions.replies.claim import Claim
from shared.actions.replies.states import GIVE_BACK, RELEASE, Guard
from shared.core import current_settings
from shared.database.clock import utc_now
from shared.database.prepared import Prepared
from shared.database.retries import retried
from shared.database.units import execute
from shared.models.message import MessageRow
from shared.wire.events import message_event


@retried
def give_back(claim: Claim, pause: float, when: Guard = Guard.WRITING) -> bool:
    """Let the reply run again after `pause` seconds. False if its failures are used up or its attempt is superseded."""
    return _wait_again(claim, GIVE_BACK[when], pause_ms=int(pause * 1000))


@retried
def release_reply(claim: Claim) -> bool:
    """Let the reply run again at once, because its worker ends. Text that was shown already does not prevent this.

    Nothing has failed, so the first drains do not count. False if its failures are used up or the attempt was
    superseded.
    """
    return _wait_again(claim, RELEASE)


def _wait_again(claim: Claim, transition: Prepared[MessageRow], **values: Any) -> bool:
    values |= {"reply_id": claim.id, "of_attempt": claim.attempt, "at": utc_now()}
    values["most_failures"] = current_settings().max_failures
    with owner_unit(claim.owner_id, events=1) as unit:
        row = execute(transition, values | {"new_seq": unit.account.seq}).first()
        if row is None:
            unit.undo()
            return False
        unit.tell(message_event("message.updated", row))  # the owner sees the reply wait again (D-42)
        unit.hand_over(dispatch(claim.owner_id))
    return True
