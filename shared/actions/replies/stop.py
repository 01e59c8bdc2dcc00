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

    The owner pays if there is text that somebody can see. Otherwise the credits return (D-19). While Redis is away, the
    text of the checkpoint is kept. Raises Forbidden, NotFound, NotAReply.
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
        return _end(unit, now, _kept(now, seen if now.attempt == reply.attempt else None))


def _kept(reply: MessageRow, seen: LiveText | None) -> LiveText:
    """The longer of the live text and the checkpoint (D-20)."""
    checkpoint = LiveText(reply.content, reply.live_index)
    return seen if seen and len(seen.text) > len(checkpoint.text) else checkpoint


def _end(unit: OwnerUnit, reply: MessageRow, kept: LiveText) -> MessageRow:
    at, price, charged = utc_now(), reply.credits_held, not shows_nothing(kept.text)
    unit.take(3, charge(price) if charged else release({reply.id: price}))
    reply_seq, chat_seq, credits_seq = unit.numbers
    values = {
        "reply_id": reply.id,
        "text": kept.text,
        "next_index": kept.next_index,
        "charged": price if charged else 0,
        "first_text": at if charged else None,
        "at": at,
        "new_seq": reply_seq,
    }
    row = execute(STOP, values)[0]
    parked = {"chat_id": row.chat_session_id, "user_id": row.owner_id, "at": at, "new_seq": chat_seq}
    chat = park_chat(parked, news=False)
    unit.close_live_text(row.id, row.attempt)
    unit.tell(
        message_event("message.cancelled", row, kept.next_index),
        chat_event("chat.updated", chat),
        credits_event(unit.account, credits_seq),
    )
    unit.hand_over(next_turns(row.owner_id))
    return row
