"""Delete a chat with all its messages."""

from sqlalchemy import Update, update

from shared.actions.messages.erase import erase, tell_erased
from shared.actions.queue.dispatch import dispatch
from shared.actions.queue.hand_over import hand_over
from shared.core import current_link
from shared.database.clock import utc_now
from shared.database.prepared import Row
from shared.database.retries import retried
from shared.database.units import execute, write_unit
from shared.models.chat import chat_sessions, find_chat
from shared.models.message import messages
from shared.models.user import Account, act, lock_owner
from shared.wire.events import Event, credits_event, publish


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
