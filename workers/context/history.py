"""The newest messages of a chat, as far as they count as conversation."""

from sqlalchemy import bindparam, select

from shared.actions.claim_reply import Claim
from shared.actions.finish_reply import Superseded
from shared.core import current_settings
from shared.db import query
from shared.models.message import ROLES, MessageType, Status, messages
from shared.statements import Prepared

_said = Prepared(
    select(messages.c.message_type, messages.c.content)
    .where(
        messages.c.chat_session_id == bindparam("chat_id"),
        messages.c.owner_id == bindparam("owner_id"),
        messages.c.position < bindparam("before"),
        messages.c.status == Status.COMPLETED,
        messages.c.message_type != MessageType.AI_ERROR,
        messages.c.shown.is_(True),
        messages.c.deleted_at.is_(None),
    )
    .order_by(messages.c.position.desc())
    .limit(bindparam("most"))
)


def recent_messages(claim: Claim) -> list[dict[str, str]]:
    """The newest completed messages before the reply, oldest first, the question last; failed replies left out.

    Raises Superseded if there are none: the chat was deleted since.
    """
    rows = query(
        _said,
        {
            "chat_id": claim.chat_session_id,
            "owner_id": claim.owner_id,
            "before": claim.position,
            "most": current_settings().history_messages,
        },
    )
    if not rows:
        raise Superseded
    return [{"role": ROLES[MessageType(row.message_type)], "content": row.content} for row in reversed(rows)]
