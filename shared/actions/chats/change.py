"""Change a chat: its title, its settings, whether it is archived, and when its owner was active or saw it."""

from typing import Any

from sqlalchemy import bindparam, update

from shared.actions.chats.settings import merged
from shared.actions.owner_unit import OwnerUnit, owner_unit
from shared.database.clock import utc_now
from shared.database.retries import retried
from shared.database.units import execute
from shared.models.chat import CHAT, STILL_SEEN, ChatRow, TitleSource, chat_sessions, find_chat
from shared.wire.events import chat_event


@retried
def change_chat(
    user_id: str,
    ref: str,
    title: str | None = None,
    *,
    archived: bool | None = None,
    settings: dict[str, Any] | None = None,
) -> ChatRow:
    """Change what is given, with one event. If the chat is like that already, nothing changes.

    Raises Unauthenticated, Forbidden, NotFound, InvalidRequest.
    """
    with owner_unit(user_id, events=1, acting=True) as unit:
        chat = find_chat(user_id, ref)
        new: dict[str, Any] = {}
        if title is not None:
            new = {"title": title, "title_source": TitleSource.USER, "title_from": None}
        if archived is not None and archived != (chat.archived_at is not None):
            new["archived_at"] = utc_now() if archived else None
        if settings is not None:
            new["settings"] = merged(chat.settings, settings)
        if all(getattr(chat, name) == value for name, value in new.items()):
            unit.undo()
            return chat
        return _changed(unit, chat.id, new | {"updated_at": utc_now(), "seen_seq": STILL_SEEN})


@retried
def touch_chat(user_id: str, ref: str) -> ChatRow:
    """Note that the user is active in the chat now. Raises Unauthenticated, Forbidden, NotFound."""
    with owner_unit(user_id, events=1, acting=True) as unit:
        return _changed(unit, find_chat(user_id, ref).id, {"last_active_at": utc_now(), "seen_seq": STILL_SEEN})


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
        return _changed(unit, chat.id, {"seen_seq": unit.account.seq})


def unarchive(unit: OwnerUnit, chat_id: str) -> None:
    """Take a chat out of the archive in the unit of a new message, with one more number and event (D-159)."""
    unit.take(1)
    _changed(unit, chat_id, {"archived_at": None, "seen_seq": unit.account.seq})


def note_quietly(unit: OwnerUnit, chat_id: str) -> ChatRow:
    """Give the chat a number in this unit, because its messages have changed. It has nothing new to read.

    Otherwise a client would take the newest of these messages for a new one, and the chat for unread.
    """
    unit.take(1)
    return _changed(unit, chat_id, {"updated_at": utc_now(), "seen_seq": STILL_SEEN})


def _is_news(chat: ChatRow, seq: int) -> bool:
    return chat.seen_seq < chat.seq <= seq


def _changed(unit: OwnerUnit, chat_id: str, values: dict[str, Any]) -> ChatRow:
    """Change the chat in this unit, with the number that the unit took, and publish the event."""
    change = update(chat_sessions).where(chat_sessions.c.id == chat_id).values(seq=bindparam("new_seq"), **values)
    changed = execute(change.returning(*CHAT), {"new_seq": unit.account.seq}, row=ChatRow)[0]
    unit.tell(chat_event("chat.updated", changed))
    return changed
