"""The sign-ins and revocations in the database, and Redis's copy of the revocations."""

from typing import Any

from redis import Redis
from sqlalchemy import select

from shared.database.units import query
from shared.models.revocation import revocations
from shared.models.sign_in import sign_ins

HASH = "holdfast:test:revoked"


def rows() -> dict[str, int]:
    """The last void second of each revocation."""
    return {row.subject: row.void_until for row in query(select(revocations))}


def copied(redis: Redis) -> dict[str, int]:
    """The same, as Redis has it."""
    return {field: int(until) for field, until in redis.hgetall(HASH).items()}


def rows_of(user_id: str) -> list[Any]:
    """The sign-ins of a user, oldest first."""
    return query(select(sign_ins).where(sign_ins.c.user_id == user_id).order_by(sign_ins.c.id))
