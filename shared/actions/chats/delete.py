"""Delete a chat with all its messages."""

from sqlalchemy import update

from shared.actions.messages.erase import end_open
from shared.actions.messages.erasures import NO_WORDS, erase_chat
from shared.actions.owner_unit import owner_unit
from shared.actions.queue.dispatch import next_turns
from shared.database.clock import db_moment, utc_now
from shared.database.retries import retried
from shared.database.units import execute
from shared.models.chat import chat_sessions, find_chat
from shared.models.message import messages
from shared.wire.events import Event, credits_event


@retried
def delete_chat(user_id: str, ref: str) -> None:
    """Erase a chat's text, and leave tombstones. Open replies end, and their credits return.

    From the commit on, no answer shows the text. Of a long chat, the sweeper erases the rest. A worker that still
    writes such a reply finds its attempt closed. Raises Forbidden, NotFound.
    """
    with owner_unit(user_id) as unit:
        chat = find_chat(user_id, ref)
        end_open(unit, user_id, messages.c.chat_session_id == chat.id, events=2)
        deleted_seq, credits_seq = unit.numbers
        tombstone = NO_WORDS | {"deleted_at": db_moment(), "updated_at": utc_now(), "seq": deleted_seq}
        execute(update(chat_sessions).where(chat_sessions.c.id == chat.id).values(tombstone))
        erase_chat(chat.id, user_id, deleted_seq, chat.next_position)
        unit.tell(Event(user_id, "chat.deleted", {"id": chat.id, "seq": deleted_seq}))
        unit.tell(credits_event(unit.account, credits_seq))
        unit.hand_over(next_turns(user_id))
