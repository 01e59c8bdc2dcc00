"""Park a chat whose reply failed or was stopped: its waiting replies get no turn until resume_queue().

A new post also ends the parking (`messages/store.py`), and so does the removal of the last message that waits
(`messages/delete.py`). The turn rule in `replies/states.py` skips parked chats.
"""

from typing import Any

from sqlalchemy import bindparam, update

from shared.actions.owner_unit import OwnerUnit, owner_unit
from shared.actions.queue.dispatch import dispatch
from shared.database.clock import utc_now
from shared.database.prepared import Prepared
from shared.database.retries import retried
from shared.database.units import execute
from shared.models.chat import CHAT, STILL_SEEN, ChatRow, chat_sessions, find_chat
from shared.wire.events import chat_event


@retried
def resume_queue(user_id: str, ref: str) -> ChatRow:
    """Give the waiting replies of a parked chat their turns again. A chat that is not parked stays as it is.

    Raises Unauthenticated, Forbidden, NotFound.
    """
    with owner_unit(user_id, acting=True) as unit:
        chat = find_chat(user_id, ref)
        if chat.parked_at is None:
            return chat
        chat = end_parking(unit, chat.id)
        unit.hand_over(dispatch(user_id))
    return chat


def end_parking(unit: OwnerUnit, chat_id: str) -> ChatRow:
    """End the parking of the chat, in a unit of its owner. The caller gives turns."""
    unit.take(1)
    chat = execute(_resume, {"chat_id": chat_id, "at": utc_now(), "new_seq": unit.account.seq})[0]
    unit.tell(chat_event("chat.updated", chat))
    return chat


def park_chat(values: dict[str, Any], *, news: bool) -> ChatRow:
    """Park the chat `chat_id` as of `at`, as `new_seq`, in the unit that ends its reply.

    With `news`, the owner did not end the reply, so the chat has something new to read. The caller publishes
    `chat.updated` (D-41).
    """
    return execute(_park_as_news if news else _park_quietly, values)[0]


_of_chat = update(chat_sessions).where(chat_sessions.c.id == bindparam("chat_id"))
_of_chat = _of_chat.values(updated_at=bindparam("at"), seq=bindparam("new_seq")).returning(*CHAT)
_park = _of_chat.values(parked_at=bindparam("at"), last_active_at=bindparam("at"))
_park_as_news = Prepared(_park, ChatRow)
_park_quietly = Prepared(_park.values(seen_seq=STILL_SEEN), ChatRow)
_resume = Prepared(_of_chat.values(parked_at=None, seen_seq=STILL_SEEN), ChatRow)
