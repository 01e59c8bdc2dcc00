"""A backlog as an hour without a sweeper leaves it: replies that wait. A test then ages them."""

from sqlalchemy import Connection, select, update

from benchmarks.lab.backlog import add_finished, add_waiting
from shared.models.credits import credit_entries
from shared.models.message import IS_OPEN, messages
from shared.models.status import MessageType

_unanswered = messages.c.reply_to.is_(None) & IS_OPEN
_added = messages.c.reply_to.is_(None) & (messages.c.message_type == MessageType.AI_REPORT) & ~IS_OPEN
# The question stands right before its reply, and has the same number.
_as_a_question = {"message_type": MessageType.USER, "credits_held": 0, "position": 2 * messages.c.seq}
_question = messages.alias("question")
_its_question = (
    select(_question.c.id)
    .where(
        _question.c.owner_id == messages.c.owner_id,
        _question.c.seq == messages.c.seq,
        _question.c.message_type == MessageType.USER,
    )
    .scalar_subquery()
)


def add_backlog(connection: Connection, count: int) -> list[str]:
    """Add `count` replies to questions, half with their turn, and a ledger that fits. Returns the owners' ids."""
    add_waiting(connection, count)
    add_finished(connection, count, count)
    connection.execute(update(messages).where(_added).values(_as_a_question))
    waiting = connection.execute(select(messages.c.id, messages.c.owner_id).where(_unanswered)).all()
    answer = {"reply_to": _its_question, "position": 2 * messages.c.seq + 1}
    connection.execute(update(messages).where(_unanswered).values(answer))
    owners = sorted({row.owner_id for row in waiting})
    held = 3 * count // len(owners)
    grants = [{"user_id": owner, "kind": "grant", "delta": held, "ref": "sign-up"} for owner in owners]
    holds = [{"user_id": row.owner_id, "kind": "hold", "delta": -3, "ref": row.id} for row in waiting]
    connection.execute(credit_entries.insert(), grants + holds)
    return owners
