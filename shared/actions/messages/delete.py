"""Delete one message: a user's message with its replies, or one reply."""

from sqlalchemy import bindparam, exists, select, update

from shared.actions.chats.change import note_quietly
from shared.actions.chats.title import untitle
from shared.actions.messages.erase import erase
from shared.actions.messages.versions import Version, group_of, replies_to, set_shown
from shared.actions.owner_unit import OwnerUnit, owner_unit
from shared.actions.queue.dispatch import next_turns
from shared.actions.queue.parking import end_parking
from shared.database.prepared import Id, Prepared
from shared.database.retries import retried
from shared.database.units import execute
from shared.errors.requests import ReplyRunning
from shared.models.chat import ChatRow, chat_sessions, find_chat
from shared.models.message import IS_OPEN, MessageRow, find_message, messages
from shared.models.status import FINAL, Status
from shared.wire.events import Event, credits_event


@retried
def delete_message(user_id: str, chat_ref: str, message_id: str) -> None:
    """Erase the texts at once, and leave tombstones. Open replies that go with the message end; their credits return.

    A user's message goes with all its edits, and all versions of their replies (D-146). A running reply cannot be
    deleted alone. Raises Forbidden, NotFound, ReplyRunning.
    """
    with owner_unit(user_id) as unit:
        chat = find_chat(user_id, chat_ref)
        message = find_message(chat.id, message_id)
        if message.status == Status.RUNNING:
            raise ReplyRunning
        if message.reply_to is None:
            _remove(unit, chat, _with_replies(group_of(message).there))
        elif remove_version(unit, chat, message):
            note_quietly(unit, chat.id)


def remove_version(unit: OwnerUnit, chat: ChatRow, message: MessageRow) -> bool:
    """Erase this version alone in a unit of the owner; an edit goes with its replies. Returns whether another is shown.

    If the version was shown, the one that readers saw last is shown again (D-214). The caller notes it in the chat.
    """
    this = [one for one in group_of(message).there if one.id == message.id]
    _remove(unit, chat, this if message.reply_to else _with_replies(this))
    last = group_of(message).shown_last
    if last is None or not message.shown:
        return False
    reply = None if message.reply_to else replies_to(last).shown_last
    set_shown(unit, show=[one.id for one in (last, reply) if one])
    return True


def _remove(unit: OwnerUnit, chat: ChatRow, doomed: list[Version]) -> None:
    """Erase these messages. If nothing is left to wait in a parked chat, its parking ends."""
    unfinished = any(one.status not in FINAL for one in doomed)
    erase(unit, chat.owner_id, messages.c.id.in_([one.id for one in doomed]), len(doomed) + unfinished)
    unit.tell(*(_deleted(one, seq) for one, seq in zip(doomed, unit.numbers, strict=False)))
    if unfinished:
        _go_on(unit, chat)
    if chat.title_from in [one.id for one in doomed]:
        untitle(unit, chat.id)


def _go_on(unit: OwnerUnit, chat: ChatRow) -> None:
    """Tell the credits of a reply that ended, and give its turn to others."""
    unit.tell(credits_event(unit.account, unit.account.seq))
    if execute(_parked_in_vain, {"chat_id": chat.id, "user_id": chat.owner_id}):
        end_parking(unit, chat.id)
    unit.hand_over(next_turns(chat.owner_id))


def _with_replies(edits: list[Version]) -> list[Version]:
    return [one for edit in edits for one in (edit, *replies_to(edit).there)]


def _deleted(message: Version, seq: int) -> Event:
    """Give a deleted message an event of its own, and so a number of its own."""
    execute(_stamp, {"message_id": message.id, "new_seq": seq})
    return Event(
        message.owner_id, "message.deleted", {"id": message.id, "chatSessionId": message.chat_session_id, "seq": seq}
    )


_waits_there = exists().where(
    messages.c.owner_id == bindparam("user_id"), IS_OPEN, messages.c.chat_session_id == chat_sessions.c.id
)
_parked_in_vain = Prepared(
    select(chat_sessions.c.id).where(
        chat_sessions.c.id == bindparam("chat_id"), chat_sessions.c.parked_at.is_not(None), ~_waits_there
    ),
    Id,
)
_stamp = update(messages).where(messages.c.id == bindparam("message_id")).values(seq=bindparam("new_seq"))
