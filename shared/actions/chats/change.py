"""Rename a chat, and note that its owner has seen it."""

from sqlalchemy import Update, update

from shared.core import current_link
from shared.database.clock import utc_now
from shared.database.prepared import Row
from shared.database.retries import retried
from shared.database.units import execute, write_unit
from shared.models.chat import STILL_SEEN, chat_sessions, find_chat
from shared.models.user import Account, act
from shared.wire.events import Event, chat_event, publish


@retried
def rename_chat(user_id: str, ref: str, title: str) -> Row:
    """Give it another title. Raises Forbidden, NotFound."""
    with write_unit():
        seq = _account(user_id).seq
        titled = {"title": title, "title_source": "user", "updated_at": utc_now(), "seq": seq, "seen_seq": STILL_SEEN}
        renamed = _change(find_chat(user_id, ref)).values(titled).returning(*chat_sessions.c)
        chat = execute(renamed, {"new_seq": seq}).first()
    _tell(chat_event("chat.updated", chat))
    return chat


@retried
def see_chat(user_id: str, ref: str, seq: int) -> Row:
    """Note that the user has seen the chat up to `seq`. Changes nothing if there is more, or was nothing new.

    Raises Forbidden, NotFound.
    """
    chat = find_chat(user_id, ref)
    if not _is_news(chat, seq):
        return chat
    with write_unit() as unit:
        account = _account(user_id)
        chat = find_chat(user_id, ref)
        if not _is_news(chat, seq):
            unit.rollback()  # gives the number back
            return chat
        seen = _change(chat).values(seq=account.seq, seen_seq=account.seq)
        chat = execute(seen.returning(*chat_sessions.c)).first()
    _tell(chat_event("chat.updated", chat))
    return chat


def _is_news(chat: Row, seq: int) -> bool:
    return bool(chat.seen_seq < chat.seq <= seq)


def _change(chat: Row) -> Update:
    return update(chat_sessions).where(chat_sessions.c.id == chat.id)


def _account(user_id: str) -> Account:
    account = act(user_id, events=1)
    assert account is not None  # this costs nothing
    return account


def _tell(event: Event) -> None:
    link = current_link()
    with link.trip() as pipe:
        publish(link, pipe, [event])
