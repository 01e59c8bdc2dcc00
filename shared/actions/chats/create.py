"""Make a chat."""

from sqlalchemy import insert

from shared.actions.owner_unit import owner_unit
from shared.database.retries import retried
from shared.database.units import execute
from shared.models.chat import CHAT, ChatRow, chat_sessions
from shared.wire.events import chat_event


@retried
def create_chat(user_id: str, title: str | None) -> ChatRow:
    """Make a new, empty chat."""
    with owner_unit(user_id, events=1, acting=True) as unit:
        seq = unit.account.seq
        titled = {"title": title, "title_source": "user"} if title else {}
        new = insert(chat_sessions).values(owner_id=user_id, seq=seq, seen_seq=seq, **titled)
        chat = execute(new.returning(*CHAT), row=ChatRow)[0]
        unit.tell(chat_event("chat.created", chat))
    return chat
