"""Issues and checks tokens. A token is signed, short-lived, and good for one purpose. Checking needs no database."""

import time
from dataclasses import dataclass
from typing import Any

import jwt

from shared.errors.requests import TokenExpired, Unauthenticated
from shared.redis.revocations import LEEWAY

ACCESS = "access"
REFRESH = "refresh"
_ISSUER = "holdfast"
_ALGORITHM = "HS256"
# The library lets some errors of odd tokens pass: half a surrogate pair, or JSON that is too deep.
_MALFORMED = (jwt.InvalidTokenError, ValueError, RecursionError)


class IssuedLater(Unauthenticated):
    """The token was issued in the future of this machine's clock, so the clocks of two machines differ."""


@dataclass(frozen=True)
class Claims:
    """The content of a valid token. Times are in seconds since 1970. `session_id` names the sign-in that issued it."""

    user_id: str
    expires: int
    issued: int
    session_id: str | None = None


def issue(secret: str, purpose: str, user_id: str, lifetime: int, session_id: str | None = None) -> str:
    """A signed token that expires after `lifetime` seconds. With a `session_id`, ending that sign-in revokes it."""
    now = int(time.time())
    claims = {"iss": _ISSUER, "aud": purpose, "sub": user_id, "iat": now, "exp": now + lifetime}
    claims |= {"sid": session_id} if session_id else {}
    return jwt.encode(claims, secret, algorithm=_ALGORITHM)


def verify(secret: str, purpose: str, token: Any) -> Claims:
    """The content of a token.

    Raises TokenExpired, IssuedLater, or Unauthenticated if anything else is wrong with the token.
    """
    try:
        claims = jwt.decode(
            token,
            secret,
            algorithms=[_ALGORITHM],
            issuer=_ISSUER,
            audience=purpose,
            leeway=LEEWAY,
            options={"require": ["exp", "iat", "sub", "aud", "iss"]},
        )
    except jwt.ExpiredSignatureError as error:
        raise TokenExpired from error
    except jwt.ImmatureSignatureError as error:
        raise IssuedLater from error
    except _MALFORMED as error:
        raise Unauthenticated from error
    return Claims(claims["sub"], int(claims["exp"]), int(claims["iat"]), claims.get("sid"))
