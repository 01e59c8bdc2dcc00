"""Idempotency-Keys: the same key and request make their rows once, however often a client sends them."""

import hashlib
from dataclasses import dataclass, fields
from typing import Any

import msgspec
from sqlalchemy import bindparam, exists, insert, select

from shared.core import current_settings
from shared.database.clock import db_moment
from shared.database.prepared import Id, Prepared, columns_of
from shared.database.tables import new_id
from shared.database.units import execute, query
from shared.errors.requests import KeyReused
from shared.models.idempotency import IdempotencyKeyRow, idempotency_keys


@dataclass(frozen=True)
class PostRequest:
    """A post as its client sent it. A field that the client left out has its default.

    No setting may change the fields. Otherwise a retry after a deploy would be refused as another request.
    """

    chat_ref: str
    content: str
    model: str | None = None
    when_busy: str | None = None

    def stored(self) -> dict[str, Any]:
        """The fields that the message stores, by the names of their columns."""
        return {name: getattr(self, name) for name in STORED}


@dataclass(frozen=True)
class Made:
    """The rows that a post makes: a message, and the placeholder of its reply."""

    message_id: str
    reply_id: str


def remember(user_id: str, key: str, request: PostRequest, made: Made) -> bool:
    """Store the key, in a unit that holds the owner's lock. If the key is known, returns False and stores nothing."""
    row = {
        "id": new_id(),
        "user_id": user_id,
        "key": key,
        "fingerprint": fingerprint(request),
        "message_id": made.message_id,
        "reply_id": made.reply_id,
    }
    return bool(execute(_store_new, row))


def recall(user_id: str, key: str, request: PostRequest) -> Made | None:
    """The rows that this key made earlier; None if the key is not known. Raises KeyReused for another request."""
    known = query(_find, {"user_id": user_id, "key": key}).first()
    if known is None:
        return None
    if known.fingerprint not in (fingerprint(request), _as_before(request)):
        raise KeyReused
    return Made(known.message_id, known.reply_id)


def fingerprint(request: PostRequest, model: str | None = None) -> str:
    """The request's SHA-256. Newer fields with their defaults are left out, or they would void stored keys (D-87)."""
    first = ("POST", request.chat_ref, request.content, model or request.model)
    newer = {
        field.name: getattr(request, field.name)
        for field in fields(request)[_FIRST:]
        if getattr(request, field.name) != field.default
    }
    return hashlib.sha256(msgspec.json.encode((*first, newer) if newer else first)).hexdigest()


def _as_before(request: PostRequest) -> str:
    """The fingerprint by older versions. They filled in the default model for a request that named none (D-34)."""
    return fingerprint(request, request.model or current_settings().model)


# Every fingerprint holds this many fields of PostRequest, from the first on.
_FIRST = 3
# The fields of PostRequest that the message does not store. The chat has a column of another name; the reply stores
# the model. `when_busy` is for the post alone.
_ELSEWHERE = ("chat_ref", "model", "when_busy")
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
