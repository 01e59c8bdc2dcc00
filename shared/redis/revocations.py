"""A copy of the table `revocations` in Redis, where the socket server reads it.

The copy is one hash. A field is `user:<user id>` or `session:<sign-in's id>`. Its value is an epoch second: tokens
issued in that second or before it are revoked. Redis may lose the hash at any time; the sweeper writes it again.
"""

from collections.abc import Iterable, Mapping

from shared.redis.link import RedisLink

#: Seconds by which the clocks of two machines may differ.
LEEWAY = 30

# Digits of an epoch second, enough for thousands of years. A longer value is not ours, and int() fails at 4,300 digits.
_MOST_DIGITS = 11

#: The revoked tokens: the field of a user or sign-in, and the last second whose tokens are revoked.
Revocations = Mapping[str, int]


def revocations_key(link: RedisLink) -> str:
    """The name of the hash."""
    return link.key("revoked")


def of_user(user_id: str) -> str:
    """The field for all tokens of a user."""
    return f"user:{user_id}"


def of_session(session_id: str) -> str:
    """The field for all tokens of one sign-in. The claim `sid` of these tokens names the sign-in."""
    return f"session:{session_id}"


def read_revocations(link: RedisLink) -> dict[str, int] | None:
    """All revocations of the hash, without values that are not ours; None if Redis did not answer."""
    pipe = link.pipeline()
    pipe.hgetall(revocations_key(link))
    answers = link.send(pipe)
    if answers is None:
        return None
    return {field.decode(errors="replace"): int(until) for field, until in answers[0].items() if _is_second(until)}


def _is_second(value: bytes) -> bool:
    return len(value) <= _MOST_DIGITS and value.isdigit()


def drop_stranger(link: RedisLink) -> bool:
    """Delete a value of another type under the name of the hash. Returns whether there was one."""
    pipe = link.pipeline()
    pipe.type(revocations_key(link))
    answers = link.send(pipe)
    if not answers or answers[0] in (b"hash", b"none"):
        return False
    with link.trip() as pipe:
        pipe.delete(revocations_key(link))
    return True


def write_revocations(link: RedisLink, revocations: Revocations, forgotten: Iterable[str] = ()) -> None:
    """Add these to the hash, and remove the forgotten ones. Does nothing while Redis is away."""
    with link.trip() as pipe:
        for subject, until in revocations.items():
            pipe.hset(revocations_key(link), subject, str(until))
        if fields := list(forgotten):
            pipe.hdel(revocations_key(link), *fields)


def is_revoked(revocations: Revocations, user_id: str, session_id: str | None, issued: int) -> bool:
    """Whether a token that was issued in this second is revoked."""
    until = revocations.get(of_user(user_id), -1)
    if session_id:
        until = max(until, revocations.get(of_session(session_id), -1))
    return issued <= until
