"""The jobs that wait in Redis for a worker."""

from typing import Any

from redis import Redis


def jobs(redis: Redis) -> list[Any]:
    return list(redis.hvals("holdfast:test:queue:replies.msgs"))
