"""The decorators by which each route declares its access. They read the caller's token from the request."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import g, request

from api.access import tokens
from api.access.limits import Limit, spend
from api.access.revoked import known
from shared.core import current_settings
from shared.errors.requests import TokenExpired, Unauthenticated
from shared.models.user import require_in_use

View = Callable[..., Any]


def public(view: View) -> View:
    """The route answers without a token."""
    view.access = "public"  # type: ignore[attr-defined]
    return view


def signed_in(view: View) -> View:
    """The route needs a valid access token of an account in use, and sets `g.user_id` (D-31).

    Without such a token, the API answers 401.
    """

    @wraps(view)
    def checked(*args: Any, **kwargs: Any) -> Any:
        require_in_use(g.user_id)
        return view(*args, **kwargs)

    return with_token(checked)


def with_token(view: View) -> View:
    """Like signed_in(), without the query for the account: the view's first statement checks the account (D-31).

    After too many requests of the user, the API answers 429.
    """

    @wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        claims = tokens.read(current_settings().secret_key, tokens.ACCESS, bearer_token())
        now = known().now()
        if claims.expired(now) or claims.premature(now):  # a client answers both with a refresh, which helps
            raise TokenExpired
        if known().holds(claims):
            raise Unauthenticated
        spend(Limit.REQUESTS, claims.user_id)
        g.user_id = claims.user_id
        return view(*args, **kwargs)

    guarded.access = "signed in"  # type: ignore[attr-defined]
    return guarded


def bearer_token() -> str | None:
    """The token of the `Authorization` header; None without one."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token if scheme.lower() == "bearer" else None
