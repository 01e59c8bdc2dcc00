"""Reads the newest messages of a chat that belong to the conversation."""

from typing import NamedTuple

from sqlalchemy import bindparam, case, exists, func, or_, select

from shared.actions.replies.claim import Claim
from shared.actions.replies.finish import Superseded
from shared.core import current_settings
from shared.database.prepared import Prepared
from shared.database.units import query
from shared.models.chat import chat_sessions
from shared.models.message import has_status, messages
from shared.models.status import ROLES, MessageType, Status
from shared.text import shows_nothing
from workers.context.budget import BYTES_PER_TOKEN


class _Said(NamedTuple):
    id: str
    message_type: str
    content: str
    instructions: str | None


# A deletion ends its open replies at once, but it may erase its texts later (D-117). So the texts are for a worker only
# while its attempt runs.
_own = messages.alias("own")
_still_runs = exists().where(
    _own.c.id == bindparam("reply_id"), has_status(Status.RUNNING, _own), _own.c.attempt == bindparam("of_attempt")
)
_question = messages.alias("question")
_asked_at = select(_question.c.position).where(_question.c.id == bindparam("question_id")).scalar_subquery()
_newest = (
    select(
        messages.c.id,
        messages.c.position,
        messages.c.message_type,
        messages.c.content,
        func.length(messages.c.content).label("characters"),
    )
    .where(
        messages.c.chat_session_id == bindparam("chat_id"),
        messages.c.owner_id == bindparam("owner_id"),
        messages.c.position <= _asked_at,  # later ones may be there: other versions, and messages without a reply
        or_(has_status(Status.COMPLETED), has_status(Status.CANCELLED)),
        messages.c.content != "",
        messages.c.message_type != MessageType.AI_ERROR,
        messages.c.shown.is_(True),
        messages.c.deleted_at.is_(None),
        _still_runs,
    )
    .order_by(messages.c.position.desc())
    .limit(bindparam("most"))
    .subquery()
)
_sized = select(
    _newest,
    func.sum(_newest.c.characters).over(order_by=_newest.c.position.desc()).label("characters_so_far"),
).subquery()
_is_newest = _sized.c.characters_so_far == _sized.c.characters
# The newest message brings the instructions of its chat, so that they cost no statement of their own.
_instructions = (
    select(chat_sessions.c.settings["instructions"].as_string())
    .where(chat_sessions.c.id == bindparam("chat_id"))
    .scalar_subquery()
)
# The query leaves out messages that cannot fit, counting one byte for each character. `budget.py` counts exactly.
_said = Prepared(
    select(
        *(_sized.c[name] for name in ("id", "message_type", "content")),
        case((_is_newest, _instructions)).label("instructions"),
    )
    .where(
        or_(
            _sized.c.characters_so_far <= bindparam("most_characters"),
            _is_newest,  # however long it is
        )
    )
    .order_by(_sized.c.position.desc()),
    _Said,
)


class History(NamedTuple):
    """The part of a conversation that may fit, oldest first, and the instructions of its chat."""

    messages: list[dict[str, str]]
    instructions: str | None


def recent_messages(claim: Claim) -> History:
    """The newest messages up to the question that may fit. The question is always the last.

    A stopped reply has the text that its reader has (D-225). Failed replies are left out, and so are versions that are
    not shown. Raises Superseded if the question was deleted, or the reply ended, meanwhile.
    """
    settings = current_settings()
    rows = query(
        _said,
        {
            "reply_id": claim.id,
            "of_attempt": claim.attempt,
            "chat_id": claim.chat_session_id,
            "owner_id": claim.owner_id,
            "question_id": claim.reply_to,
            "most": settings.history_messages,
            "most_characters": settings.context_tokens * BYTES_PER_TOKEN,
        },
    )
    if not rows or rows[0].id != claim.reply_to:
        raise Superseded
    seen = [row for row in reversed(rows) if not shows_nothing(row.content)]
    said = [{"role": ROLES[MessageType(row.message_type)], "content": row.content} for row in seen]
    return History(said, rows[0].instructions)
