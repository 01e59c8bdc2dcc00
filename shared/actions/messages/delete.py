"""Delete one message: a user's own with its replies, or one reply."""

from sqlalchemy import bindparam, select, update

from shared.actions.messages.erase import erase, tell_erased
from shared.actions.queue.dispatch import dispatch
from shared.actions.queue.hand_over import hand_over
from shared.database.prepared import Row
from shared.database.retries import retried
from shared.database.units import execute, write_unit
from shared.errors.requests import ReplyRunning
from shared.models.chat import find_chat
from shared.models.message import FINAL, Status, find_message, messages
from shared.models.user import lock_owner
from shared.wire.events import Event, credits_event

_replies = select(messages).where(
    messages.c.chat_session_id == bindparam("chat_id"),
    messages.c.reply_to == bindparam("message_id"),
    messages.c.deleted_at.is_(None),
)
_stamp = update(messages).where(messages.c.id == bindparam("message_id")).values(seq=bindparam("new_seq"))


@retried
def delete_message(user_id: str, chat_ref: str, message_id: str) -> None:
    """Erase its text at once and leave a tombstone; replies that go with it and aren't final end with credits back.

    Raises Forbidden, NotFound, and ReplyRunning for a reply alone that is being written.
    """
    with write_unit():
        lock_owner(user_id)
        message = find_message(find_chat(user_id, chat_ref).id, message_id)
        if message.status == Status.RUNNING:
            raise ReplyRunning
        doomed = [message, *execute(_replies, {"chat_id": message.chat_session_id, "message_id": message.id})]
        unfinished = any(one.status not in FINAL for one in doomed)
        numbers = len(doomed) + unfinished
        erased = erase(user_id, messages.c.id.in_([one.id for one in doomed]), numbers)
        deleted = [_deleted(one, seq) for one, seq in zip(doomed, erased.account.numbers(numbers), strict=False)]
        turns = dispatch(user_id) if unfinished else []
    tell_erased(erased, [*deleted, credits_event(erased.account, erased.account.seq)] if unfinished else deleted)
    hand_over(turns)


def _deleted(message: Row, seq: int) -> Event:
    """Each has an event, and so a number, of its own."""
    execute(_stamp, {"message_id": message.id, "new_seq": seq})
    return Event(
        message.owner_id, "message.deleted", {"id": message.id, "chatSessionId": message.chat_session_id, "seq": seq}
    )
