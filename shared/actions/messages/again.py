"""Ask for another version of the last reply: regenerate it, retry a failed one, or continue one that broke off."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, select

from shared.actions.chats.settings import choose_model, require_offered
from shared.actions.messages.accept import Posted, Verb, accept
from shared.actions.messages.idempotency import Made, fingerprint
from shared.actions.messages.store import Stored, reply_row, require_room, store_reply, take_place
from shared.actions.messages.versions import Group, replies_to, require_room_for_versions
from shared.actions.owner_unit import OwnerUnit
from shared.core import current_settings
from shared.database.prepared import Id, Prepared
from shared.database.units import query
from shared.errors.control import NothingToContinue, NothingToRetry, NotShown, NotTheLastMessage
from shared.models.chat import ChatRow, find_chat
from shared.models.message import MessageRow, find_message, messages
from shared.models.status import MessageType, Status
from shared.text import shows_nothing
from shared.wire.messages import MAX_REPLY

#: The finish reason of a reply that was cut at its longest.
_CUT = "length"


@dataclass(frozen=True)
class AgainRequest:
    """A verb about a reply, as its client sent it. `message_id` names the reply, or the message that it answers."""

    verb: str
    chat_ref: str
    message_id: str
    model: str | None = None

    def fingerprints(self) -> Iterator[str]:
        yield fingerprint("POST", f"{self.chat_ref}/{self.message_id}/{self.verb}", {"model": self.model})


def ask_again(user_id: str, request: AgainRequest, key: str | None = None) -> Posted:
    """Store the placeholder of another version, which is shown from now on, as accept() says.

    `regenerate` is for any last reply, and `retry` for one that ended without an answer. `continue` is for one that
    broke off: the new version begins with its text (D-145). Raises what accept() raises, and NotTheLastMessage,
    ReplyOpen, TooManyVersions, NothingToRetry, NothingToContinue, NotShown.
    """
    return accept(_VERBS[request.verb], user_id, request, key)


@dataclass(frozen=True)
class Pair:
    """The last message of a chat, its reply that a request is about, and all versions of that reply."""

    chat: ChatRow
    question: MessageRow
    reply: MessageRow | None
    versions: Group


def find_last_pair(user_id: str, chat_ref: str, message_id: str) -> Pair:
    """The pair of this message or reply. Raises Forbidden, NotFound, NotTheLastMessage, ReplyOpen, TooManyVersions."""
    chat = find_chat(user_id, chat_ref)
    named = find_message(chat.id, message_id)
    question = find_message(chat.id, named.reply_to) if named.reply_to else named
    if question.message_type != MessageType.USER or not question.shown:
        raise NotTheLastMessage
    if query(_later_question, {"chat_id": chat.id, "position": question.position}):
        raise NotTheLastMessage
    versions = replies_to(question)
    versions.require_final()
    require_room_for_versions(question)
    if named.reply_to is None and versions.shown:
        return Pair(chat, question, find_message(chat.id, versions.shown.id), versions)
    return Pair(chat, question, named if named.reply_to else None, versions)


def _regenerated(_reply: MessageRow | None) -> dict[str, Any]:
    return {}


def _retried(reply: MessageRow | None) -> dict[str, Any]:
    """The same model tries again, if users may still choose it."""
    if reply is None or not _is_without_an_answer(reply):
        raise NothingToRetry
    _require_shown(reply)
    return {"model": _model_of(reply)}


def _continued(reply: MessageRow | None) -> dict[str, Any]:
    if reply is None or not _broke_off(reply):
        raise NothingToContinue
    _require_shown(reply)
    return {"model": _model_of(reply), "continues": reply.id, "content": reply.content, "kept": len(reply.content)}


def _require_shown(reply: MessageRow) -> None:
    """Raises NotShown. Otherwise the new version would hide one that the client does not know of (D-215)."""
    if not reply.shown:
        raise NotShown


def _is_without_an_answer(reply: MessageRow) -> bool:
    """Whether the reply failed, or was stopped or expired before any text of its own (D-144)."""
    stopped_early = reply.status == Status.CANCELLED and shows_nothing(reply.content[reply.kept :])
    return reply.status == Status.FAILED or stopped_early


def _broke_off(reply: MessageRow) -> bool:
    whole = reply.status == Status.COMPLETED and reply.finish_reason != _CUT
    return not whole and not shows_nothing(reply.content) and len(reply.content) < MAX_REPLY


def _model_of(reply: MessageRow) -> str | None:
    """The model that the reply asked. A completed one has the model's own name for itself, which nobody can choose."""
    return reply.model if reply.model in current_settings().models else None


def _verb(begin: Callable[[MessageRow | None], dict[str, Any]]) -> Verb[AgainRequest]:
    """A verb whose new reply has the columns that `begin` makes of the earlier one. `begin` may refuse it."""

    def check(user_id: str, request: AgainRequest) -> tuple[Pair, dict[str, Any]]:
        pair = find_last_pair(user_id, request.chat_ref, request.message_id)
        columns = begin(pair.reply)
        require_offered(request.model)
        return pair, columns | {"model": choose_model(request.model or columns.get("model"), pair.chat.settings)}

    def store(unit: OwnerUnit, request: AgainRequest, made: Made) -> Stored:
        pair, columns = check(unit.account.user_id, request)
        place = take_place(unit, request.chat_ref, 1)
        require_room(place.open_replies)
        versions = pair.versions
        version = {"version": versions.next_version, "version_of": versions.root, "reply_to": pair.question.id}
        reply = reply_row(unit, place, id=made.reply_id, **version, **columns)
        return store_reply(place, pair.question, reply)._replace(replaces=versions.shown_ids)

    return Verb(check, store, message=False)


_VERBS = {"regenerate": _verb(_regenerated), "retry": _verb(_retried), "continue": _verb(_continued)}
_later_question = Prepared(
    select(messages.c.id)
    .where(
        messages.c.chat_session_id == bindparam("chat_id"),
        messages.c.position > bindparam("position"),
        messages.c.message_type == MessageType.USER,
        messages.c.shown.is_(True),
        messages.c.deleted_at.is_(None),
    )
    .order_by(messages.c.position)
    .limit(1),
    Id,
)
