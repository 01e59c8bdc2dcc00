"""Stop a reply because its owner says so: a row first, a signal second.

Its worker hears of it with its next delta, which the live text refuses, or when it next looks at its rows.
"""

from dataclasses import dataclass

from sqlalchemy import bindparam, func, update

from shared.actions.queue.dispatch import dispatch
from shared.actions.queue.hand_over import hand_over
from shared.actions.queue.parking import park_chat
from shared.core import current_link
from shared.database.clock import utc_now
from shared.database.prepared import Prepared, Row
from shared.database.retries import retried
from shared.database.units import execute, write_unit
from shared.errors.requests import NotAReply
from shared.models.chat import find_chat
from shared.models.credits import RELEASE, record
from shared.models.message import FINAL, IS_OPEN, Status, find_message, messages
from shared.models.user import lock_owner, move
from shared.redis import live_text
from shared.redis.live_text import LiveText
from shared.wire.events import Event, chat_event, credits_event, message_event, publish

_stop = Prepared(
    update(messages)
    .where(messages.c.id == bindparam("reply_id"), IS_OPEN)
    .values(
        status=Status.CANCELLED,
        content=bindparam("text"),
        live_index=bindparam("next_index"),
        credits_charged=bindparam("charged"),
        first_text_at=func.coalesce(messages.c.first_text_at, bindparam("first_text")),
        lease_until=None,
        completed_at=bindparam("at"),
        updated_at=bindparam("at"),
        seq=bindparam("new_seq"),
    )
    .returning(*messages.c)
)


@dataclass(frozen=True)
class _Stopped:
    """What a stop has done, to be told after the commit."""

    reply: Row
    events: list[Event]
    turns: list[str]


@retried
def stop_reply(user_id: str, chat_ref: str, message_id: str) -> Row:
    """End a reply that waits or runs, with the text so far; one that is final stays as it is.

    Charged if there is text to keep, else the credits return. Parks the chat. Redis may be away: then the
    checkpoint is the text so far. Raises Forbidden, NotFound, NotAReply.
    """
    reply = find_message(find_chat(user_id, chat_ref).id, message_id)
    if reply.reply_to is None:
        raise NotAReply
    if reply.status in FINAL:
        return reply
    (seen,) = live_text.read(current_link(), [(reply.id, reply.attempt)])
    with write_unit():
        lock_owner(user_id)
        now = find_message(reply.chat_session_id, reply.id)
        if now.status in FINAL:
            return now
        stopped = _end(now, _kept(now, seen if now.attempt == reply.attempt else None))
    _announce(stopped)
    return stopped.reply


def _kept(reply: Row, seen: LiveText | None) -> LiveText:
    checkpoint = LiveText(reply.content, reply.live_index)
    return seen if seen and len(seen.text) > len(checkpoint.text) else checkpoint


def _end(reply: Row, kept: LiveText) -> _Stopped:
    at, price, charged = utc_now(), reply.credits_held, bool(kept.text.strip())
    account = move(reply.owner_id, events=3, spend=0 if charged else -price, hold=-price)
    assert account is not None  # what an open reply holds is held
    reply_seq, chat_seq, credits_seq = account.numbers(3)
    values = {
        "reply_id": reply.id,
        "text": kept.text,
        "next_index": kept.next_index,
        "charged": price if charged else 0,
        "first_text": at if charged else None,
        "at": at,
        "new_seq": reply_seq,
    }
    row = execute(_stop, values)[0]
    if not charged:
        record(row.owner_id, RELEASE, price, row.id)
    parked = {"chat_id": row.chat_session_id, "user_id": row.owner_id, "at": at, "new_seq": chat_seq}
    chat = park_chat(parked, news=False)
    events = [
        message_event("message.cancelled", row, kept.next_index),
        chat_event("chat.updated", chat),
        credits_event(account, credits_seq),
    ]
    return _Stopped(row, events, dispatch(row.owner_id) if chat.open_replies else [])


def _announce(stopped: _Stopped) -> None:
    link = current_link()
    with link.trip() as pipe:
        live_text.close(link, pipe, stopped.reply.id, stopped.reply.attempt)
        publish(link, pipe, stopped.events)
    hand_over(stopped.turns)
