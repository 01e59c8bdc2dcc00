"""Find the messages of a chat that wait: replies that no worker has had yet, each with its question."""

from typing import NamedTuple

from sqlalchemy import Select, select, union_all

from shared.database.units import query
from shared.models.message import IS_OPEN, MESSAGE, MessageRow, has_status, messages
from shared.models.status import Status

#: The condition that no worker has had the reply yet. Until then, its owner may edit, move or remove it.
WAITS = has_status(Status.PENDING) & (messages.c.attempt == 0)
_question = messages.alias("question")


class Waiting(NamedTuple):
    """A reply that waits. Its question waits with it if one request stored both.

    Any other question was there before: it was answered, or stored without a reply. It stays as it is.
    """

    reply: MessageRow
    question: MessageRow | None

    @property
    def messages(self) -> list[MessageRow]:
        """Its one or two messages, in their order."""
        return [self.question, self.reply] if self.question else [self.reply]

    @property
    def name(self) -> str:
        """The id by which a client names it: that of its first message."""
        return self.messages[0].id


def waiting_in(user_id: str, chat_id: str) -> list[Waiting]:
    """The replies that wait in this chat of the user, the next one first."""
    rows = query(waiting_messages(user_id, chat_id).order_by(messages.c.position), row=MessageRow)
    questions = {row.id: row for row in rows if row.reply_to is None}
    return [Waiting(row, questions.get(row.reply_to)) for row in rows if row.reply_to is not None]


def waiting_messages(user_id: str, chat_id: str) -> Select[tuple[object, ...]]:
    """The messages that wait in this chat of the user. The index of open replies finds them, however long the chat."""
    replies = (
        select(messages.c.id, messages.c.reply_to, messages.c.created_at)
        .where(messages.c.owner_id == user_id, IS_OPEN, WAITS, messages.c.chat_session_id == chat_id)
        .cte("waiting")
    )
    together = (_question.c.id == replies.c.reply_to) & (_question.c.created_at == replies.c.created_at)
    questions = select(_question.c.id).join(replies, together)
    return select(*MESSAGE).where(messages.c.id.in_(union_all(select(replies.c.id), questions)))
