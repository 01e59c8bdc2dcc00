"""Versions: the replies to one message, and the edits of one message. At most one version of each is shown (D-143).

Each later version names the first one, the root. So a group is found by an index, however long its chat is.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, bindparam, func, or_, select, update

from shared.actions.owner_unit import OwnerUnit
from shared.database.clock import utc_now
from shared.database.prepared import Id, Prepared, columns_of
from shared.database.units import execute, query
from shared.errors.control import ReplyOpen, TooManyVersions
from shared.models.message import MESSAGE, MessageRow, messages
from shared.models.status import FINAL
from shared.wire.events import message_event

#: The most edits of a message and replies to them, deleted ones included. One unit reads, shows or erases them all.
MOST_VERSIONS = 100


class Version(NamedTuple):
    """One version of a group, without its text. A deleted version is a tombstone."""

    id: str
    chat_session_id: str
    owner_id: str
    position: int
    status: str
    version: int
    shown: bool
    seq: int
    version_of: str | None
    deleted_at: datetime | None


class Group:
    """All versions of one message, or of the reply to one message, oldest first."""

    def __init__(self, root: str | None) -> None:
        #: The id of the first version; None if there is no version yet.
        self.root = root
        self._rows = query(_of_root, {"root": root}) if root else []

    @property
    def there(self) -> list[Version]:
        """The versions that were not deleted."""
        return [row for row in self._rows if row.deleted_at is None]

    @property
    def shown(self) -> Version | None:
        """The version that readers see."""
        return next((row for row in self.there if row.shown), None)

    @property
    def shown_ids(self) -> tuple[str, ...]:
        """The id of the shown version, if there is one."""
        return (self.shown.id,) if self.shown else ()

    @property
    def shown_last(self) -> Version | None:
        """The version that readers saw last: to show or hide one takes a number."""
        return max(self.there, key=lambda row: row.seq, default=None)

    @property
    def next_version(self) -> int:
        """The number of the next version."""
        return max((row.version for row in self._rows), default=0) + 1

    def require_final(self) -> None:
        """Raises ReplyOpen if a version is still waiting or being written."""
        for row in self.there:
            if row.status not in FINAL:
                raise ReplyOpen(messageId=row.id)


def group_of(message: MessageRow | Version) -> Group:
    """The versions of this message or reply."""
    return Group(message.version_of or message.id)


def require_room_for_versions(question: MessageRow) -> None:
    """Raises TooManyVersions if the edits of this message and all replies to them are too many for one more (D-219)."""
    names = {"chat_id": question.chat_session_id, "root": question.version_of or question.id}
    if query(_versions_there, names)[0].versions >= MOST_VERSIONS:
        raise TooManyVersions


def replies_to(question: MessageRow | Version) -> Group:
    """The versions of the reply to this message."""
    names = {"chat_id": question.chat_session_id, "position": question.position, "question_id": question.id}
    first = query(_first_reply, names).first()
    return Group(first.id if first else None)


def versions_of(message: MessageRow) -> ColumnElement[bool]:
    """The condition that a message is a version of this one."""
    return _has_root(message.version_of or message.id)


def _has_root(root: Any) -> ColumnElement[bool]:
    return or_(messages.c.id == root, messages.c.version_of == root)


def set_shown(unit: OwnerUnit, *, show: Iterable[str] = (), hide: Iterable[str] = ()) -> list[MessageRow]:
    """Show and hide these messages, and tell it: each takes a number of its own. Returns the rows.

    Between two events, a screen then has both versions, and knows which is newer. It never has none (D-210).
    """
    changes = [(one, True) for one in show] + [(one, False) for one in hide]
    if not changes:
        return []
    unit.take(len(changes))
    rows = [
        execute(_set_shown, {"message_id": one, "now_shown": shown, "at": utc_now(), "new_seq": seq})[0]
        for (one, shown), seq in zip(changes, unit.numbers, strict=True)
    ]
    unit.tell(*(message_event("message.updated", row) for row in rows))
    return rows


class _Count(NamedTuple):
    versions: int


_root = messages.alias("root")
_of_root = Prepared(
    select(*columns_of(Version, messages)).where(_has_root(bindparam("root"))).order_by(messages.c.version),
    Version,
)
_edits = select(messages.c.id).where(_has_root(bindparam("root")))
# They are the end of the chat, so the index by position finds them.
_versions_there = Prepared(
    select(func.count().label("versions")).where(
        messages.c.chat_session_id == bindparam("chat_id"),
        messages.c.position >= select(_root.c.position).where(_root.c.id == bindparam("root")).scalar_subquery(),
        or_(_has_root(bindparam("root")), messages.c.reply_to.in_(_edits)),
    ),
    _Count,
)
# The reply follows its question closely, so the index by position finds it at once. A tombstone still names its root.
_first_reply = Prepared(
    select(func.coalesce(messages.c.version_of, messages.c.id).label("id"))
    .where(
        messages.c.chat_session_id == bindparam("chat_id"),
        messages.c.position > bindparam("position"),
        messages.c.reply_to == bindparam("question_id"),
    )
    .order_by(messages.c.position)
    .limit(1),
    Id,
)
_set_shown = Prepared(
    update(messages)
    .where(messages.c.id == bindparam("message_id"))
    .values(shown=bindparam("now_shown"), updated_at=bindparam("at"), seq=bindparam("new_seq"))
    .returning(*MESSAGE),
    MessageRow,
)
