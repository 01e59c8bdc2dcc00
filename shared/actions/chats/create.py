"""Make a chat."""

from sqlalchemy import Update, insert, update

from shared.core import current_link
from shared.database.prepared import Row
from shared.database.retries import retried
from shared.database.units import execute, write_unit
from shared.models.chat import chat_sessions
from shared.models.user import Account, act
from shared.wire.events import Event, chat_event, publish


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
