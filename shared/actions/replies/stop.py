"""Stop a reply at its owner's request: first the row changes, then Redis closes the live text.

The worker learns of the stop when Redis refuses its next delta. Otherwise its watchdog finds the changed row (D-06).
"""

from shared.actions.credits.money import charge, release
from shared.actions.owner_unit import OwnerUnit, owner_unit
from shared.actions.queue.dispatch import next_turns
from shared.actions.queue.parking import park_chat
from shared.actions.replies.states import STOP
from shared.core import current_link
from shared.database.clock import utc_now
from shared.database.retries import retried
from shared.database.units import execute
from shared.errors.requests import NotAReply
from shared.models.chat import find_chat
from shared.models.message import MessageRow, find_message
from shared.models.status import FINAL
from shared.redis import live_text
from shared.redis.live_text import LiveText
from shared.text import shows_nothing
from shared.wire.events import chat_event, credits_event, message_event


@retried
def stop_reply(user_id: str, chat_ref: str, message_id: str) -> MessageRow:
    """End a reply that waits or runs, with the text so far, and park its chat. A final reply stays as it is.

    The owner pays if there is new text that somebody can see. Otherwise the credits return (D-19). While Redis is away,
    the text of the checkpoint is kept. Raises Forbidden, NotFound, NotAReply.
    """
    reply = find_message(find_chat(user_id, chat_ref).id, message_id)
    if reply.reply_to is None:
        raise NotAReply
    if reply.status in FINAL:
        return reply
    (seen,) = live_text.read(current_link(), [(reply.id, reply.attempt)])
    with owner_unit(user_id) as unit:
        now = find_message(reply.chat_session_id, reply.id)
        if now.status in FINAL:
            return now
        return _end(unit, now, seen if now.attempt == reply.attempt else None)


def _end(unit: OwnerUnit, reply: MessageRow, seen: LiveText | None) -> MessageRow:
    row = end_stopped(unit, reply, seen, events=3)
    _, chat_seq, credits_seq = unit.numbers
    parked = {"chat_id": row.chat_session_id, "user_id": row.owner_id, "at": row.updated_at, "new_seq": chat_seq}
    unit.tell(chat_event("chat.updated", park_chat(parked, news=False)), credits_event(unit.account, credits_seq))
    unit.hand_over(next_turns(row.owner_id))
    return row


def end_stopped(unit: OwnerUnit, reply: MessageRow, seen: LiveText | None, events: int) -> MessageRow:
    """End an open reply with its text so far. `seen` is its live text, if the caller has read that.

    The unit takes `events` numbers, and the first of them is the reply's. The caller decides whether the chat parks.
    """
    kept = _kept(reply, seen)
    at, price, charged = utc_now(), reply.credits_held, not shows_nothing(kept.text[reply.kept :])
    unit.take(events, charge(price) if charged else release({reply.id: price}))
    values = {
        "reply_id": reply.id,
        "text": kept.text,
        "next_index": kept.next_index,
        "charged": price if charged else 0,
        "first_text": at if charged else None,
        "at": at,
        "new_seq": unit.numbers[0],
    }
    row = execute(STOP, values)[0]
    unit.close_live_text(row.id, row.attempt)
    unit.tell(message_event("message.cancelled", row, kept.next_index))
    return row


def _kept(reply: MessageRow, seen: LiveText | None) -> LiveText:
    """The longer of the live text and the checkpoint (D-20)."""
    checkpoint = LiveText(reply.content, reply.live_index)
    return seen if seen and len(seen.text) > len(checkpoint.text) else checkpoint
