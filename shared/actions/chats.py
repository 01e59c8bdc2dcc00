"""Create, rename and delete a chat."""

from sqlalchemy import Update, bindparam, insert, select, update

from shared import live
from shared.actions.dispatch import dispatch
from shared.core import current_link
from shared.db import execute, utc_now, write_unit
from shared.errors import Forbidden
from shared.events import Event, chat_event, credits_event, publish
from shared.models.chat import chat_sessions, find_chat
from shared.models.credits import RELEASE, record
from shared.models.message import IS_OPEN, Status, messages
from shared.models.user import Account, lock_owner, move
from shared.queues import hand_over
from shared.statements import Row

_in_chat = messages.c.chat_session_id == bindparam("chat_id")
_unfinished = select(messages).where(_in_chat, IS_OPEN)
_cancel_open = (
    update(messages)
    .where(_in_chat, IS_OPEN)
    .values(status=Status.CANCELLED, lease_until=None, completed_at=bindparam("at"))
)
_erase_messages = (
    update(messages)
    .where(_in_chat)
    .values(
        content="",
        changes=None,
        deleted_at=bindparam("at"),
        updated_at=bindparam("at"),
        seq=bindparam("new_seq"),
    )
)


def create_chat(user_id: str, title: str | None) -> Row:
    """A new, empty chat."""
    with write_unit():
        seq = _account(user_id, 1).seq
        titled = {"title": title, "title_source": "user"} if title else {}
        new = insert(chat_sessions).values(owner_id=user_id, seq=seq, seen_seq=seq, **titled)
        chat = execute(new.returning(*chat_sessions.c)).first()
    _tell(chat_event("chat.created", chat))
    return chat


def rename_chat(user_id: str, ref: str, title: str) -> Row:
    """Give it another title. Raises Forbidden, NotFound."""
    with write_unit():
        seq = _account(user_id, 1).seq
        titled = {"title": title, "title_source": "user", "updated_at": utc_now(), "seq": seq}
        chat = execute(_change(find_chat(user_id, ref)).values(titled).returning(*chat_sessions.c)).first()
    _tell(chat_event("chat.updated", chat))
    return chat


def delete_chat(user_id: str, ref: str) -> None:
    """Erase a chat's text at once and leave tombstones; replies that are not final end with their credits back.

    A worker still writing one finds its attempt closed. Raises Forbidden, NotFound.
    """
    with write_unit():
        lock_owner(user_id)
        chat = find_chat(user_id, ref)
        unfinished = execute(_unfinished, {"chat_id": chat.id})
        released = sum(reply.credits_held for reply in unfinished)
        account = _account(user_id, 2, released)
        _erase(chat, account.seq - 1)
        for reply in unfinished:
            record(user_id, RELEASE, reply.credits_held, reply.id)
        turns = dispatch(user_id)
    link = current_link()
    with link.trip() as pipe:
        for reply in unfinished:
            live.close(link, pipe, reply.id, reply.attempt)
        deleted = Event(user_id, "chat.deleted", {"id": chat.id, "seq": account.seq - 1})
        publish(link, pipe, [deleted, credits_event(account, account.seq)])
    hand_over(turns)


def _change(chat: Row) -> Update:
    return update(chat_sessions).where(chat_sessions.c.id == chat.id)


def _erase(chat: Row, seq: int) -> None:
    now = utc_now()
    execute(_change(chat).values(title="", deleted_at=now, updated_at=now, seq=seq))
    execute(_cancel_open, {"chat_id": chat.id, "at": now})
    execute(_erase_messages, {"chat_id": chat.id, "at": now, "new_seq": seq})


def _account(user_id: str, events: int, released: int = 0) -> Account:
    account = move(user_id, events=events, spend=-released, hold=-released)
    if account is None:
        raise Forbidden  # the token outlived its user
    return account


def _tell(event: Event) -> None:
    link = current_link()
    with link.trip() as pipe:
        publish(link, pipe, [event])
