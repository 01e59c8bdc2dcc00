"""Idempotency-Keys: the same key and request make nothing twice, however often they are sent."""

import hashlib
from dataclasses import dataclass

import msgspec
from sqlalchemy import bindparam, exists, insert, select

from shared.db import execute, new_id, utc_now
from shared.errors import KeyReused
from shared.models.idempotency import idempotency_keys
from shared.statements import Prepared

_COLUMNS = ("id", "user_id", "key", "fingerprint", "message_id", "reply_id", "created_at")
_same_key = (idempotency_keys.c.user_id == bindparam("user_id"), idempotency_keys.c.key == bindparam("key"))
_store_new = Prepared(
    insert(idempotency_keys)
    .from_select(
        _COLUMNS,
        select(*(bindparam(name, type_=idempotency_keys.c[name].type) for name in _COLUMNS)).where(
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


def made_before(user_id: str, key: str, request: tuple[str, ...], made: Made, locked: bool) -> Made | None:
    """What this key made earlier; None, with the key stored for `made`, if it is new.

    `locked` tells that the owner is: without the lock nothing is stored. Raises KeyReused.
    """
    fingerprint = hashlib.sha256(msgspec.json.encode(("POST", *request))).hexdigest()
    if locked and _stored(user_id, key, fingerprint, made):
        return None
    known = execute(_find, {"user_id": user_id, "key": key}).first()
    if known is None:
        return None
    if known.fingerprint != fingerprint:
        raise KeyReused
    return Made(known.message_id, known.reply_id)


def _stored(user_id: str, key: str, fingerprint: str, made: Made) -> bool:
    row = {
        "id": new_id(),
        "user_id": user_id,
        "key": key,
        "fingerprint": fingerprint,
        "message_id": made.message_id,
        "reply_id": made.reply_id,
        "created_at": utc_now(),
    }
    return execute(_store_new, row).first() is not None
