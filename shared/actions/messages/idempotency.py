"""Idempotency-Keys: the same key and request make nothing twice, however often they are sent."""

import hashlib
from dataclasses import dataclass

import msgspec
from sqlalchemy import bindparam, exists, insert, select

from shared.core import current_settings
from shared.database.clock import db_moment
from shared.database.prepared import Prepared
from shared.database.tables import new_id
from shared.database.units import execute
from shared.errors.requests import KeyReused
from shared.models.idempotency import idempotency_keys

#: What a post was sent with: its chat, content, and model, None if it named none. No setting may change it.
Request = tuple[str, str, str | None]

_COLUMNS = ("id", "user_id", "key", "fingerprint", "message_id", "reply_id")
_same_key = (idempotency_keys.c.user_id == bindparam("user_id"), idempotency_keys.c.key == bindparam("key"))
_store_new = Prepared(
    insert(idempotency_keys)
    .from_select(
        (*_COLUMNS, "created_at"),
        select(*(bindparam(name, type_=idempotency_keys.c[name].type) for name in _COLUMNS), db_moment()).where(
            ~exists().where(*_same_key)
        ),
    )
    .returning(idempotency_keys.c.id)
)
_find = Prepared(select(idempotency_keys).where(*_same_key))


@dataclass(frozen=True)
class Made:
    """What a post makes: a message and the placeholder of its reply."""

    message_id: str
    reply_id: str


def made_before(user_id: str, key: str, request: Request, made: Made, locked: bool) -> Made | None:
    """What this key made earlier; None, with the key stored for `made`, if it is new.

    `locked` tells that the owner is: without the lock nothing is stored. Raises KeyReused.
    """
    if locked and _stored(user_id, key, request, made):
        return None
    known = execute(_find, {"user_id": user_id, "key": key}).first()
    if known is None:  # or forgotten between the two statements
        return made_before(user_id, key, request, made, locked) if locked else None
    if known.fingerprint not in (_fingerprint(request), _as_before(request)):
        raise KeyReused
    return Made(known.message_id, known.reply_id)


def _stored(user_id: str, key: str, request: Request, made: Made) -> bool:
    row = {
        "id": new_id(),
        "user_id": user_id,
        "key": key,
        "fingerprint": _fingerprint(request),
        "message_id": made.message_id,
        "reply_id": made.reply_id,
    }
    return execute(_store_new, row).first() is not None


def _fingerprint(request: Request) -> str:
    return hashlib.sha256(msgspec.json.encode(("POST", *request))).hexdigest()


def _as_before(request: Request) -> str:
    """How it was kept when the default stood where no model was named: so are keys of the day before a deploy."""
    chat_ref, content, model = request
    return _fingerprint((chat_ref, content, model or current_settings().model))
