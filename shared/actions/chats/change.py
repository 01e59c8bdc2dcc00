"""Rename a chat, and note that its owner has seen it."""

from typing import Any

from sqlalchemy import bindparam, update

from shared.actions.owner_unit import OwnerUnit, owner_unit
from shared.database.clock import utc_now
from shared.database.retries import retried
from shared.database.units import execute
from shared.models.chat import CHAT, STILL_SEEN, ChatRow, chat_sessions, find_chat
from shared.wire.events import chat_event


@retried
def rename_chat(user_id: str, ref: str, title: str) -> ChatRow:
    """Give the chat another title. Raises Forbidden, NotFound."""
    with owner_unit(user_id, events=1, acting=True) as unit:
        titled = {"title": title, "title_source": "user", "updated_at": utc_now(), "seen_seq": STILL_SEEN}
        return _changed(unit, find_chat(user_id, ref), titled)


@retried
def see_chat(user_id: str, ref: str, seq: int) -> ChatRow:
    """Note that the user has seen the chat up to `seq`.

    Nothing changes if the chat is newer than `seq`, or was read already (D-46). Raises Forbidden, NotFound.
    """
    chat = find_chat(user_id, ref)
    if not _is_news(chat, seq):
        return chat
    with owner_unit(user_id, events=1, acting=True) as unit:
        chat = find_chat(user_id, ref)
        if not _is_news(chat, seq):
            unit.undo()
            return chat
        return _changed(unit, chat, {"seen_seq": unit.account.seq})


def note_quietly(unit: OwnerUnit, chat: ChatRow) -> ChatRow:
    """Give the chat a number in this unit, because other messages of it are shown. It has nothing new to read.

    Otherwise a client would take the newest of these messages for a new one, and the chat for unread.
    """
    unit.take(1)
    return _changed(unit, chat, {"updated_at": utc_now(), "seen_seq": STILL_SEEN})


def _is_news(chat: ChatRow, seq: int) -> bool:
    return chat.seen_seq < chat.seq <= seq


def _changed(unit: OwnerUnit, chat: ChatRow, values: dict[str, Any]) -> ChatRow:
    """Change the chat in this unit, with the number that the unit took, and publish the event."""
    change = update(chat_sessions).where(chat_sessions.c.id == chat.id).values(seq=bindparam("new_seq"), **values)
    changed = execute(change.returning(*CHAT), {"new_seq": unit.account.seq}, row=ChatRow)[0]
    unit.tell(chat_event("chat.updated", changed))
    return changed
