"""Make a chat."""

from typing import Any

from sqlalchemy import insert

from shared.actions.chats.settings import merged
from shared.actions.owner_unit import owner_unit
from shared.database.retries import retried
from shared.database.units import execute
from shared.errors.requests import Forbidden
from shared.models.chat import CHAT, ChatRow, TitleSource, chat_sessions
from shared.wire.events import chat_event


@retried
def create_chat(
    user_id: str,
    title: str | None = None,
    *,
    settings: dict[str, Any] | None = None,
    team_id: object = None,
    repo_id: object = None,
    document_id: object = None,
) -> ChatRow:
    """Make a new, empty chat.

    Raises InvalidRequest for a wrong setting, and Forbidden for any team, repo or document: no user has one yet.
    """
    given = {"settings": merged({}, settings or {})}
    if (team_id, repo_id, document_id) != (None, None, None):
        raise Forbidden
    with owner_unit(user_id, events=1, acting=True) as unit:
        seq = unit.account.seq
        titled = {"title": title, "title_source": TitleSource.USER} if title else {}
        new = insert(chat_sessions).values(owner_id=user_id, seq=seq, seen_seq=seq, **given, **titled)
        chat = execute(new.returning(*CHAT), row=ChatRow)[0]
        unit.tell(chat_event("chat.created", chat))
    return chat
