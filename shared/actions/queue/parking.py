"""A chat whose reply failed or was stopped is parked: what waits in it gets no turn until its owner goes on.

A new post also ends the parking (`post_message.py`), and `dispatch.py` passes parked chats over.
"""

from typing import Any

from sqlalchemy import bindparam, update

from shared.actions.queue.dispatch import dispatch, open_replies
from shared.actions.queue.hand_over import hand_over
from shared.core import current_link
from shared.database.clock import utc_now
from shared.database.prepared import Prepared, Row
from shared.database.retries import retried
from shared.database.units import execute, write_unit
from shared.models.chat import STILL_SEEN, chat_sessions, find_chat
from shared.models.user import lock_owner, move
from shared.wire.events import chat_event, publish

_of_chat = update(chat_sessions).where(chat_sessions.c.id == bindparam("chat_id"))
_park = _of_chat.values(
    parked_at=bindparam("at"),
    last_active_at=bindparam("at"),
    updated_at=bindparam("at"),
    seq=bindparam("new_seq"),
).returning(*chat_sessions.c, open_replies)
_park_as_news = Prepared(_park)
_park_quietly = Prepared(_park.values(seen_seq=STILL_SEEN))
_resume = Prepared(
    _of_chat.values(
        parked_at=None, updated_at=bindparam("at"), seq=bindparam("new_seq"), seen_seq=STILL_SEEN
    ).returning(*chat_sessions.c)
)


def park_chat(values: dict[str, Any], *, news: bool) -> Row:
    """Park the chat `chat_id` of `user_id` as of `at`, as `new_seq`: its row, with the owner's `open_replies`.

    The last step of a unit that ends a reply, whether anything waits or not. `news`: its owner did not do it, and has
    something to read.
    """
    return execute(_park_as_news if news else _park_quietly, values)[0]


@retried
def resume_queue(user_id: str, ref: str) -> Row:
    """Give what waits in a parked chat its turns again; a chat that is not parked stays as it is.

    Raises Forbidden, NotFound.
    """
    with write_unit():
        lock_owner(user_id)
        chat = find_chat(user_id, ref)
        if chat.parked_at is None:
            return chat
        account = move(user_id, events=1)
        assert account is not None  # a chat has an owner, and this costs nothing
        chat = execute(_resume, {"chat_id": chat.id, "at": utc_now(), "new_seq": account.seq})[0]
        turns = dispatch(user_id)
    link = current_link()
    with link.trip() as pipe:
        publish(link, pipe, [chat_event("chat.updated", chat)])
    hand_over(turns)
    return chat
