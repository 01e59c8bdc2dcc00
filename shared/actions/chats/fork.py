"""Fork a chat at one of its messages: a new chat with copies of the conversation up to there."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, func, insert, literal, select

from shared.actions.messages.idempotency import Made, fingerprint, made_before, recall
from shared.actions.messages.versions import group_of
from shared.actions.owner_unit import OwnerUnit, owner_unit
from shared.database.clock import utc_now
from shared.database.retries import retried
from shared.database.tables import copied_id, copy_of, new_id
from shared.database.units import execute, query
from shared.database.weights import octets
from shared.errors.control import ForkTooLarge, NotShown, ReplyOpen
from shared.models.chat import CHAT, ChatRow, TitleSource, chat_sessions, find_chat
from shared.models.message import MessageRow, find_message, messages
from shared.models.status import FINAL
from shared.models.user import require_in_use
from shared.wire.events import chat_event

# The most messages and bytes of text that one fork copies. SQLite lets nobody else write meanwhile (D-149), and every
# word gets into the index of the search (D-181).
_MOST_MESSAGES, _MOST_BYTES = 10_000, 4 * 1024 * 1024


@dataclass(frozen=True)
class ForkRequest:
    """A fork as its client sent it."""

    chat_ref: str
    message_id: str
    title: str | None = None

    def fingerprints(self) -> Iterator[str]:
        body = {"messageId": self.message_id, "title": self.title}
        yield fingerprint("POST", f"{self.chat_ref}/fork", body)


class Forked(NamedTuple):
    """The new chat, made now or earlier if its key was known."""

    chat: ChatRow
    replayed: bool = False


@retried
def fork_chat(user_id: str, request: ForkRequest, key: str | None = None) -> Forked:
    """Make a chat with copies of the shown messages up to this one, in their final states. Nothing is charged.

    Every copy takes a number of `seq` but has no event: a client sees the gap, and catches up (D-149). Raises
    Unauthenticated, Forbidden, NotFound, KeyReused, NotShown, ReplyOpen, ForkTooLarge.
    """
    if known := forked_before(user_id, request, key):
        return known
    _require_small(*_place(user_id, request))  # before the unit, because SQLite reads all texts for their sizes
    made = Made(chat_session_id=new_id())
    with owner_unit(user_id, acting=True) as unit:
        before = made_before(user_id, key, request, made)
        if before is None:
            return Forked(_fork(unit, *_place(user_id, request), request.title, str(made.chat_session_id)))
        unit.undo()
    return _replayed(user_id, before)


def forked_before(user_id: str, request: ForkRequest, key: str | None) -> Forked | None:
    """The chat of a known key. Raises Unauthenticated, NotFound, KeyReused."""
    require_in_use(user_id)
    before = recall(user_id, key, request) if key else None
    return _replayed(user_id, before) if before else None


def _replayed(user_id: str, before: Made) -> Forked:
    return Forked(find_chat(user_id, str(before.chat_session_id)), replayed=True)


def _place(user_id: str, request: ForkRequest) -> tuple[ChatRow, MessageRow]:
    """The chat, and the last message to copy. Raises Forbidden, NotFound, NotShown, ReplyOpen."""
    source = find_chat(user_id, request.chat_ref)
    last = find_message(source.id, request.message_id)
    if last.status not in FINAL:
        raise ReplyOpen(messageId=last.id)
    if not last.shown:
        raise NotShown
    return source, last


def _require_small(_source: ChatRow, last: MessageRow) -> None:
    """Raises ForkTooLarge."""
    some = select(octets(messages.c.content).label("size")).where(*_up_to(last)).limit(_MOST_MESSAGES + 1).subquery()
    size = func.coalesce(func.sum(some.c.size), 0).label("size")
    found = query(select(func.count().label("messages"), size).select_from(some), row=_Total)[0]
    if found.messages > _MOST_MESSAGES or found.size > _MOST_BYTES:
        raise ForkTooLarge


def _fork(unit: OwnerUnit, source: ChatRow, last: MessageRow, title: str | None, chat_id: str) -> ChatRow:
    which = _up_to(last)
    (count,) = execute(select(func.count()).select_from(messages).where(*which)).scalars()
    unit.take(count + 1)
    prefix = new_id()
    titled = {"title": title, "title_source": TitleSource.USER} if title else _same_title(source, last, prefix)
    chat = _insert_chat(source, titled, chat_id, count, unit.account.seq)
    execute(_copy(which, chat_id, unit.numbers[0], prefix))
    unit.tell(chat_event("chat.created", chat))
    return chat


def _up_to(last: MessageRow) -> list[ColumnElement[bool]]:
    return [
        messages.c.chat_session_id == last.chat_session_id,
        messages.c.position <= last.position,
        messages.c.shown.is_(True),
        messages.c.deleted_at.is_(None),
        messages.c.status.in_(FINAL),
    ]


class _Total(NamedTuple):
    messages: int
    size: int


def _same_title(source: ChatRow, last: MessageRow, prefix: str) -> dict[str, Any]:
    """The title of the old chat. One that a model made belongs to the copy of its question, or stays behind (D-163).

    If the question was edited, the title belongs to the copy of the shown edit (D-218).
    """
    title = {"title": source.title, "title_source": source.title_source}
    if source.title_from is None:
        return title
    question = group_of(find_message(source.id, source.title_from)).shown
    if question is None or question.position > last.position:
        return {}
    return title | {"title_from": copy_of(question.id, prefix)}


def _insert_chat(source: ChatRow, titled: dict[str, Any], chat_id: str, count: int, seq: int) -> ChatRow:
    values = titled | {
        "id": chat_id,
        "owner_id": source.owner_id,
        "settings": source.settings,
        "next_position": count,
        "seq": seq,
        "seen_seq": seq,
    }
    return execute(insert(chat_sessions).values(values).returning(*CHAT), row=ChatRow)[0]


def _copy(which: list[ColumnElement[bool]], chat_id: str, first_seq: int, prefix: str) -> Any:
    """One statement copies all rows, without the columns of one run or one charge."""
    place = func.row_number().over(order_by=messages.c.position) - 1
    changed: dict[str, Any] = {
        "id": copied_id(messages.c.id, prefix),
        "reply_to": copied_id(messages.c.reply_to, prefix),
        "chat_session_id": literal(chat_id, messages.c.chat_session_id.type),
        "position": place,
        "seq": place + first_seq,
        "updated_at": literal(utc_now(), messages.c.updated_at.type),
        "version": literal(1),
    }
    bare = MessageRow._field_defaults.keys() - _COPIED
    nothing = dict.fromkeys(("kept", "credits_held", "credits_charged", "attempt", "failures", "drains"), literal(0))
    nothing |= dict.fromkeys(("handovers", "live_index"), literal(0))
    kept = [name for name in MessageRow._fields if name not in bare]
    columns = [(changed | nothing).get(name, messages.c[name]).label(name) for name in kept]
    return insert(messages).from_select(kept, select(*columns).where(*which), include_defaults=False)


# The columns that may be empty, and that a copy has too.
_COPIED = {"reply_to", "model", "finish_reason", "error_code", "changes", "started_at", "first_text_at", "completed_at"}
