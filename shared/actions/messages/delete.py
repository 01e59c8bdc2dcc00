"""Delete one message: a user's message with its replies, or one reply."""

from sqlalchemy import bindparam, select, update

from shared.actions.messages.erase import erase
from shared.actions.owner_unit import owner_unit
from shared.actions.queue.dispatch import next_turns
from shared.database.retries import retried
from shared.database.units import execute
from shared.errors.requests import ReplyRunning
from shared.models.chat import find_chat
from shared.models.message import MESSAGE, MessageRow, find_message, messages
from shared.models.status import FINAL, Status
from shared.wire.events import Event, credits_event


@retried
def delete_message(user_id: str, chat_ref: str, message_id: str) -> None:
    """Erase the texts at once, and leave tombstones. Open replies that go with the message end; their credits return.

    A running reply cannot be deleted alone. Raises Forbidden, NotFound, ReplyRunning.
    """
    with owner_unit(user_id) as unit:
        message = find_message(find_chat(user_id, chat_ref).id, message_id)
        if message.status == Status.RUNNING:
            raise ReplyRunning
        names = {"chat_id": message.chat_session_id, "message_id": message.id}
        doomed = [message, *execute(_replies, names, row=MessageRow)]
        unfinished = any(one.status not in FINAL for one in doomed)
        erase(unit, user_id, messages.c.id.in_([one.id for one in doomed]), len(doomed) + unfinished)
        unit.tell(*(_deleted(one, seq) for one, seq in zip(doomed, unit.numbers, strict=False)))
        if unfinished:
            unit.tell(credits_event(unit.account, unit.account.seq))
            unit.hand_over(next_turns(user_id))


def _deleted(message: MessageRow, seq: int) -> Event:
    """Give a deleted message an event of its own, and so a number of its own."""
    execute(_stamp, {"message_id": message.id, "new_seq": seq})
    return Event(
        message.owner_id, "message.deleted", {"id": message.id, "chatSessionId": message.chat_session_id, "seq": seq}
    )


_replies = select(*MESSAGE).where(
    messages.c.chat_session_id == bindparam("chat_id"),
    messages.c.reply_to == bindparam("message_id"),
    messages.c.deleted_at.is_(None),
)
_stamp = update(messages).where(messages.c.id == bindparam("message_id")).values(seq=bindparam("new_seq"))
