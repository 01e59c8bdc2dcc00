"""Create, rename, see and delete a chat."""

from sqlalchemy import Update, insert, update

from shared.actions.dispatch import dispatch
from shared.actions.erase import erase, tell_erased
from shared.core import current_link
from shared.database.clock import utc_now
from shared.database.prepared import Row
from shared.database.retries import retried
from shared.database.units import execute, write_unit
from shared.models.chat import STILL_SEEN, chat_sessions, find_chat
from shared.models.message import messages
from shared.models.user import Account, act, lock_owner
from shared.queues import hand_over
from shared.wire.events import Event, chat_event, credits_event, publish


@retried
def create_chat(user_id: str, title: str | None) -> Row:
    """A new, empty chat."""
    with write_unit():
        seq = _account(user_id).seq
        titled = {"title": title, "title_source": "user"} if title else {}
        new = insert(chat_sessions).values(owner_id=user_id, seq=seq, seen_seq=seq, **titled)
        chat = execute(new.returning(*chat_sessions.c)).first()
    _tell(chat_event("chat.created", chat))
    return chat


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


@retried
def delete_chat(user_id: str, ref: str) -> None:
    """Erase a chat's text at once and leave tombstones; replies that are not final end with their credits back.

    A worker still writing one finds its attempt closed. Raises Forbidden, NotFound.
    """
    with write_unit():
        lock_owner(user_id)
        chat = find_chat(user_id, ref)
        erased = erase(user_id, messages.c.chat_session_id == chat.id, events=2)
        deleted_seq, credits_seq = erased.account.numbers(2)
        now = utc_now()
        execute(_change(chat).values(title="", deleted_at=now, updated_at=now, seq=deleted_seq))
        turns = dispatch(user_id)
    deleted = Event(user_id, "chat.deleted", {"id": chat.id, "seq": deleted_seq})
    tell_erased(erased, [deleted, credits_event(erased.account, credits_seq)])
    hand_over(turns)


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
