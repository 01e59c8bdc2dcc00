"""Delete one message: a user's message with its replies, or one reply."""

from sqlalchemy import bindparam, update

from shared.actions.chats.change import note_quietly
from shared.actions.messages.erase import erase
from shared.actions.messages.versions import Group, Version, group_of, replies_to, set_shown
from shared.actions.owner_unit import owner_unit
from shared.actions.queue.dispatch import next_turns
from shared.database.retries import retried
from shared.database.units import execute
from shared.errors.requests import ReplyRunning
from shared.models.chat import find_chat
from shared.models.message import find_message, messages
from shared.models.status import FINAL, Status
from shared.wire.events import Event, credits_event


@retried
def delete_message(user_id: str, chat_ref: str, message_id: str) -> None:
    """Erase the texts at once, and leave tombstones. Open replies that go with the message end; their credits return.

    A user's message goes with all its edits, and all versions of their replies. If a shown reply goes alone, the
    newest version that is left is shown (D-146). A running reply cannot be deleted alone. Raises Forbidden, NotFound,
    ReplyRunning.
    """
    with owner_unit(user_id) as unit:
        chat = find_chat(user_id, chat_ref)
        message = find_message(chat.id, message_id)
        if message.status == Status.RUNNING:
            raise ReplyRunning
        versions = group_of(message)
        alone = [one for one in versions.there if one.id == message.id]
        doomed = alone if message.reply_to else _with_replies(versions)
        unfinished = any(one.status not in FINAL for one in doomed)
        erase(unit, user_id, messages.c.id.in_([one.id for one in doomed]), len(doomed) + unfinished)
        unit.tell(*(_deleted(one, seq) for one, seq in zip(doomed, unit.numbers, strict=False)))
        if unfinished:
            unit.tell(credits_event(unit.account, unit.account.seq))
            unit.hand_over(next_turns(user_id))
        left = [one.id for one in versions.there if one.id != message.id]
        if message.reply_to and message.shown and left:
            set_shown(unit, show=left[-1:])
            note_quietly(unit, chat)


def _with_replies(edits: Group) -> list[Version]:
    return [one for edit in edits.there for one in (edit, *replies_to(edit).there)]


def _deleted(message: Version, seq: int) -> Event:
    """Give a deleted message an event of its own, and so a number of its own."""
    execute(_stamp, {"message_id": message.id, "new_seq": seq})
    return Event(
        message.owner_id, "message.deleted", {"id": message.id, "chatSessionId": message.chat_session_id, "seq": seq}
    )


_stamp = update(messages).where(messages.c.id == bindparam("message_id")).values(seq=bindparam("new_seq"))
