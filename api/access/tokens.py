"""Issues and checks tokens. A token is signed, short-lived, and good for one purpose. Checking needs no database."""

import time
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import jwt

from shared.errors.requests import TokenExpired, Unauthenticated
from shared.redis.revocations import LEEWAY

ACCESS = "access"
REFRESH = "refresh"
_ISSUER = "holdfast"
_ALGORITHM = "HS256"
# Characters of the longest token. Ours have about 400. Decoding a longer one takes time before its signature is known.
_LONGEST = 2048
# Good tokens that a process remembers. Its event loop and its request thread both read the token of each request.
_REMEMBERED = 4096
# The library lets some errors of odd tokens pass: half a surrogate pair, a time that is no number, JSON too deep.
_MALFORMED = (jwt.InvalidTokenError, TypeError, ValueError, OverflowError, RecursionError)


class IssuedLater(Unauthenticated):
    """The token was issued in the future of this machine's clock, so the clocks of two machines differ."""


@dataclass(frozen=True)
class Claims:
    """The content of a valid token. Times are in seconds since 1970. `session_id` names the sign-in that issued it."""

    user_id: str
    expires: int
    issued: int
    session_id: str | None = None

    def expired(self, now: float) -> bool:
        """Whether the token has expired, with the leeway for clocks that differ."""
        return self.expires <= now - LEEWAY

    def premature(self, now: float) -> bool:
        """Whether the token is of a later time, because the clock was set back since."""
        return self.issued > now + LEEWAY


def issue(
    secret: str, purpose: str, user_id: str, lifetime: int, session_id: str | None = None, at: float | None = None
) -> str:
    """A signed token that expires after `lifetime` seconds. With a `session_id`, ending that sign-in revokes it.

    `at` is the time of issue, by default of this machine's clock.
    """
    now = int(time.time() if at is None else at)
    claims = {"iss": _ISSUER, "aud": purpose, "sub": user_id, "iat": now, "exp": now + lifetime}
    claims |= {"sid": session_id} if session_id else {}
    return jwt.encode(claims, secret, algorithm=_ALGORITHM)


def verify(secret: str, purpose: str, token: Any) -> Claims:
    """The content of a token that is good by this machine's clock. `realtime` has no other.

    Raises TokenExpired, IssuedLater, or Unauthenticated if anything else is wrong with the token.
    """
    return _decode(secret, purpose, _text(token), times=True)


def read(secret: str, purpose: str, token: Any) -> Claims:
    """The content of a token that we signed, whatever its times. Raises Unauthenticated.

    The caller compares the times with the database's clock (D-118).
    """
    return _signed(secret, purpose, _text(token))


def _text(token: Any) -> str:
    if not isinstance(token, str) or len(token) > _LONGEST:
        raise Unauthenticated
    return token


@lru_cache(_REMEMBERED)
def _signed(secret: str, purpose: str, token: str) -> Claims:
    """The claims of our own token never change, so the answer may be kept. A token that is not ours leaves nothing."""
    return _decode(secret, purpose, token, times=False)


def _decode(secret: str, purpose: str, token: str, times: bool) -> Claims:
    try:
        claims = jwt.decode(
            token,
            secret,
            algorithms=[_ALGORITHM],
            issuer=_ISSUER,
            audience=purpose,
            leeway=LEEWAY,
            options={"require": ["exp", "iat", "sub", "aud", "iss"], "verify_exp": times, "verify_iat": times},
        )
        return Claims(claims["sub"], int(claims["exp"]), int(claims["iat"]), claims.get("sid"))
    except jwt.ExpiredSignatureError as error:
        raise TokenExpired from error
    except jwt.ImmatureSignatureError as error:
        raise IssuedLater from error
    except _MALFORMED as error:
        raise Unauthenticated from error
