"""Which tokens are void before their time, in Redis, where the socket server can read it.

One hash: `user:<user id>` or `session:<sign-in's id>` to the epoch second up to which (itself included) issued tokens
are void. It only copies the table `revocations`, so it may be lost and written again at any time: the sweeper does.
"""

from collections.abc import Iterable, Mapping

from shared.redis.link import RedisLink

#: Seconds that clocks of two machines may differ.
LEEWAY = 30

# Digits of a second, for thousands of years; more of them are not ours, and at 4,300 int() refuses.
_MOST_DIGITS = 11

#: The void tokens: the field of a user or sign-in, and the last second of issue that is void.
Voids = Mapping[str, int]


def revocations_key(link: RedisLink) -> str:
    """The hash's name."""
    return link.key("revoked")


def of_user(user_id: str) -> str:
    """The field for all tokens of a user."""
    return f"user:{user_id}"


def of_session(session_id: str) -> str:
    """The field for all tokens of one sign-in, which their claim `sid` names."""
    return f"session:{session_id}"


def read_revocations(link: RedisLink) -> dict[str, int] | None:
    """All that the hash says, without what no program of ours wrote; None if Redis did not tell."""
    pipe = link.pipeline()
    pipe.hgetall(revocations_key(link))
    answers = link.send(pipe)
    if answers is None:
        return None
    return {field.decode(errors="replace"): int(until) for field, until in answers[0].items() if _is_second(until)}


def _is_second(value: bytes) -> bool:
    return len(value) <= _MOST_DIGITS and value.isdigit()


def drop_stranger(link: RedisLink) -> bool:
    """Take away what stands where the hash should be and is none; whether there was such a thing."""
    pipe = link.pipeline()
    pipe.type(revocations_key(link))
    answers = link.send(pipe)
    if not answers or answers[0] in (b"hash", b"none"):
        return False
    with link.trip() as pipe:
        pipe.delete(revocations_key(link))
    return True


def write_revocations(link: RedisLink, voids: Voids, forgotten: Iterable[str] = ()) -> None:
    """Add these to the hash and take the forgotten out; while Redis is away nothing happens."""
    with link.trip() as pipe:
        for subject, until in voids.items():
            pipe.hset(revocations_key(link), subject, str(until))
        if fields := list(forgotten):
            pipe.hdel(revocations_key(link), *fields)


def is_void(voids: Voids, user_id: str, session_id: str | None, issued: int) -> bool:
    """Whether a token issued at this second is revoked."""
    until = voids.get(of_user(user_id), -1)
    if session_id:
        until = max(until, voids.get(of_session(session_id), -1))
    return issued <= until
