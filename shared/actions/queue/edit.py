"""Edit a message while its reply waits. A worker that claims the reply afterwards reads the new text."""

from sqlalchemy import bindparam, select, update

from shared.actions.messages.post import Posted
from shared.actions.owner_unit import OwnerUnit, owner_unit
from shared.actions.queue.arrange import touch_chat
from shared.actions.queue.waiting import FIRST_VERSION, WAITS
from shared.database.clock import utc_now
from shared.database.prepared import Prepared
from shared.database.retries import retried
from shared.database.units import execute
from shared.errors.conflicts import NotWaiting
from shared.models.chat import find_chat
from shared.models.message import IS_OPEN, MESSAGE, MessageRow, find_message, messages
from shared.models.user import account_of
from shared.wire.events import message_event


@retried
def edit_waiting_message(user_id: str, chat_ref: str, message_id: str, content: str) -> Posted:
    """Change the text of a message that waits. Its reply keeps its place and its price.

    Raises Unauthenticated, Forbidden, NotFound, NotWaiting.
    """
    with owner_unit(user_id, acting=True) as unit:
        message = find_message(find_chat(user_id, chat_ref).id, message_id)
        reply = waiting_reply_to(message)
        if reply is None:
            raise NotWaiting
        edited = edit_waiting(unit, message, content)
        account = account_of(user_id)
        assert account is not None  # the unit has locked the owner's row
    return Posted(edited, reply, account)


def waiting_reply_to(message: MessageRow) -> MessageRow | None:
    """The reply that waits to answer this message, in a unit that holds the owner's lock; None if there is none."""
    return execute(_waiting_reply, {"user_id": message.owner_id, "message_id": message.id}).first()


def edit_waiting(unit: OwnerUnit, message: MessageRow, content: str) -> MessageRow:
    """Change the text of a message whose reply waits, in the owner's unit. The same text again changes nothing."""
    if message.content == content:
        return message
    unit.take(1)
    values = {"message_id": message.id, "text": content, "new_seq": unit.account.seq, "at": utc_now()}
    edited = execute(_edit, values)[0]
    unit.tell(message_event("message.updated", edited))
    touch_chat(unit, message.chat_session_id)
    return edited


# A reply of a later version waits alone: its question was answered before, and stays as it is.
_waiting_reply = Prepared(
    select(*MESSAGE).where(
        messages.c.owner_id == bindparam("user_id"),
        IS_OPEN,
        WAITS,
        messages.c.reply_to == bindparam("message_id"),
        messages.c.version == FIRST_VERSION,
    ),
    MessageRow,
)
_edit = Prepared(
    update(messages)
    .where(messages.c.id == bindparam("message_id"))
    .values(content=bindparam("text"), seq=bindparam("new_seq"), updated_at=bindparam("at"))
    .returning(*MESSAGE),
    MessageRow,
)
