"""The title that a model makes for a chat: find the question to make it from, store it, and take it away again."""

from typing import Any, NamedTuple

from sqlalchemy import bindparam, func, select, update

from shared.actions.owner_unit import OwnerUnit, owner_unit
from shared.database.clock import utc_now
from shared.database.prepared import Prepared
from shared.database.retries import retried
from shared.database.units import execute, query
from shared.errors.requests import Unauthenticated
from shared.models.chat import CHAT, DEFAULT_TITLE, STILL_SEEN, ChatRow, TitleSource, chat_sessions
from shared.models.message import has_status, messages
from shared.models.status import MessageType, Status
from shared.models.user import IN_USE, users
from shared.wire.events import chat_event

#: So many completed replies of an untitled chat ask for a title, one after the other (D-162).
MOST_TRIES = 3
#: The condition that a chat wants a title of a completed reply.
WANTS_TITLE = (chat_sessions.c.title_source == TitleSource.DEFAULT) & (chat_sessions.c.title_tries <= MOST_TRIES)
# Characters of the question that the model gets.
_MOST = 2_000


class Question(NamedTuple):
    """The first message of an untitled chat, and the model of its reply."""

    id: str
    chat_id: str
    owner_id: str
    content: str
    settings: dict[str, Any]
    answered_by: str | None


def first_question(chat_id: str) -> Question | None:
    """The message to make a title from; None if the chat has a title by now, or somebody has deleted what it needs."""
    return query(_first_question, {"chat_id": chat_id}).first()


@retried
def set_title(question: Question, title: str) -> None:
    """Store the title, unless the user has set one, or has deleted the chat, its question or the account meanwhile."""
    try:
        with owner_unit(question.owner_id, events=1, acting=True) as unit:
            values = {"chat_id": question.chat_id, "question": question.id, "title": title, "at": utc_now()}
            chat = execute(_set_title, values | {"new_seq": unit.account.seq}).first()
            if chat is None:
                unit.undo()
            else:
                unit.tell(chat_event("chat.updated", chat))
    except Unauthenticated:
        return  # the account is deleted or disabled


def untitle(unit: OwnerUnit, chat_id: str) -> None:
    """Take the generated title away in the unit that deletes its question: the title has words of it (D-163)."""
    unit.take(1)
    values = {"chat_id": chat_id, "at": utc_now(), "new_seq": unit.account.seq}
    unit.tell(chat_event("chat.updated", execute(_untitle, values)[0]))


_model = messages.alias("reply")
_answered_by = (
    select(_model.c.model)
    .where(
        _model.c.chat_session_id == chat_sessions.c.id,
        _model.c.reply_to == messages.c.id,
        has_status(Status.COMPLETED, _model),
    )
    .order_by(_model.c.position)
    .limit(1)
    .scalar_subquery()
)
_first_question = Prepared(
    select(
        messages.c.id,
        chat_sessions.c.id.label("chat_id"),
        chat_sessions.c.owner_id,
        func.substr(messages.c.content, 1, _MOST).label("content"),
        chat_sessions.c.settings,
        _answered_by.label("answered_by"),
    )
    .join(chat_sessions, chat_sessions.c.id == messages.c.chat_session_id)
    .join(users, users.c.id == chat_sessions.c.owner_id)
    .where(
        chat_sessions.c.id == bindparam("chat_id"),
        chat_sessions.c.title_source == TitleSource.DEFAULT,
        chat_sessions.c.deleted_at.is_(None),
        IN_USE,
        messages.c.message_type == MessageType.USER,
        messages.c.shown.is_(True),
        messages.c.deleted_at.is_(None),
    )
    .order_by(messages.c.position)
    .limit(1),
    Question,
)
_of_chat = update(chat_sessions).where(chat_sessions.c.id == bindparam("chat_id"))
_of_chat = _of_chat.values(seq=bindparam("new_seq"), seen_seq=STILL_SEEN, updated_at=bindparam("at")).returning(*CHAT)
_still_there = (
    select(messages.c.id).where(messages.c.id == bindparam("question"), messages.c.deleted_at.is_(None)).exists()
)
_set_title = Prepared(
    _of_chat.where(
        chat_sessions.c.title_source == TitleSource.DEFAULT, chat_sessions.c.deleted_at.is_(None), _still_there
    ).values(title=bindparam("title"), title_source=TitleSource.GENERATED, title_from=bindparam("question")),
    ChatRow,
)
_untitle = Prepared(
    _of_chat.values(title=DEFAULT_TITLE, title_source=TitleSource.DEFAULT, title_from=None, title_tries=0), ChatRow
)
