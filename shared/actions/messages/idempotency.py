"""Idempotency-Keys: the same key and request make their rows once, however often a client sends them."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any, Protocol

import msgspec
from sqlalchemy import bindparam, exists, insert, select

from shared.core import current_settings
from shared.database.clock import db_moment
from shared.database.prepared import Id, Prepared, columns_of
from shared.database.tables import new_id
from shared.database.units import execute, query
from shared.errors.requests import KeyReused
from shared.models.idempotency import IdempotencyKeyRow, idempotency_keys
from shared.models.status import ROLES, MessageType


class Request(Protocol):
    """A request that may carry a key, as its client sent it.

    No setting may change its fields. Otherwise a retry after a deploy would be refused as another request.
    """

    def fingerprints(self) -> Iterator[str]:
        """The SHA-256 to store, then those that older versions stored for the same request."""


@dataclass(frozen=True)
class PostRequest:
    """A post as its client sent it. A field that the client left out has its default."""

    chat_ref: str
    content: str
    model: str | None = None
    when_busy: str | None = None
    generate: bool | None = None
    role: str = ROLES[MessageType.USER]

    def stored(self) -> dict[str, Any]:
        """The fields that the message stores, by the names of their columns."""
        return {name: getattr(self, name) for name in STORED}

    def fingerprints(self) -> Iterator[str]:
        """The second is by older versions. They filled in the default model for a request that named none (D-34)."""
        yield self._fingerprint(self.model)
        yield self._fingerprint(self.model or current_settings().model)

    def _fingerprint(self, model: str | None) -> str:
        """Newer fields with their defaults are left out, or they would void stored keys (D-87)."""
        first = ("POST", self.chat_ref, self.content, model)
        newer = {
            field.name: getattr(self, field.name)
            for field in fields(self)[_FIRST:]
            if getattr(self, field.name) != field.default
        }
        return _digest((*first, newer) if newer else first)


@dataclass(frozen=True)
class Made:
    """The ids of the rows that a request makes: a message, the placeholder of a reply, or a chat."""

    message_id: str | None = None
    reply_id: str | None = None
    chat_session_id: str | None = None


def fingerprint(method: str, path: str, body: Mapping[str, Any]) -> str:
    """The SHA-256 of any request but a post. A field that is left out says the same as a null."""
    sent = {name: value for name, value in sorted(body.items()) if value is not None}
    return _digest((method, path, sent))


def remember(user_id: str, key: str, request: Request, made: Made) -> bool:
    """Store the key, in a unit that holds the owner's lock. If the key is known, returns False and stores nothing."""
    row = {"id": new_id(), "user_id": user_id, "key": key, "fingerprint": next(request.fingerprints())}
    return bool(execute(_store_new, row | vars(made)))


def recall(user_id: str, key: str, request: Request) -> Made | None:
    """The rows that this key made earlier; None if the key is not known. Raises KeyReused for another request."""
    known = query(_find, {"user_id": user_id, "key": key}).first()
    if known is None:
        return None
    if known.fingerprint not in request.fingerprints():
        raise KeyReused
    return Made(known.message_id, known.reply_id, known.chat_session_id)


def made_before(user_id: str, key: str | None, request: Request, made: Made) -> Made | None:
    """The rows that this key made earlier. A new key is stored with `made`, and the answer is None.

    Raises KeyReused.
    """
    if key is None or remember(user_id, key, request, made):
        return None
    # a sweeper may forget the key between the two statements; then the key is new
    return recall(user_id, key, request) or made_before(user_id, key, request, made)


def _digest(parts: tuple[Any, ...]) -> str:
    return hashlib.sha256(msgspec.json.encode(parts)).hexdigest()


# Every fingerprint of a post holds this many fields of PostRequest, from the first on.
_FIRST = 3
# The fields of PostRequest that the message does not store. The chat has a column of another name; the reply stores
# the model. The role decides the type of the message, and `generate` whether there is a reply. `when_busy` is for the
# post alone.
_ELSEWHERE = ("chat_ref", "model", "when_busy", "generate", "role")
#: The fields of PostRequest that the message stores, each in the column of its name. erase() empties these columns.
STORED = tuple(field.name for field in fields(PostRequest) if field.name not in _ELSEWHERE)
_same_key = (idempotency_keys.c.user_id == bindparam("user_id"), idempotency_keys.c.key == bindparam("key"))
_given: list[Any] = [
    bindparam(name, type_=idempotency_keys.c[name].type) for name in IdempotencyKeyRow._fields if name != "created_at"
]
_store_new = Prepared(
    insert(idempotency_keys)
    .from_select(IdempotencyKeyRow._fields, select(*_given, db_moment()).where(~exists().where(*_same_key)))
    .returning(idempotency_keys.c.id),
    Id,
)
_find = Prepared(select(*columns_of(IdempotencyKeyRow, idempotency_keys)).where(*_same_key), IdempotencyKeyRow)
