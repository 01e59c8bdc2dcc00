"""By which decorator each route declares its access, and how the caller's token is read."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import g, request

from api.access import tokens
from api.access.revoked import was_revoked
from shared.core import current_settings
from shared.errors.requests import Unauthenticated
from shared.models.user import require_in_use

View = Callable[..., Any]


def public(view: View) -> View:
    """Anybody may ask."""
    view.access = "public"  # type: ignore[attr-defined]
    return view


def signed_in(view: View) -> View:
    """Only with a valid access token of an account in use; `g.user_id` is whose it is."""

    @wraps(view)
    def checked(*args: Any, **kwargs: Any) -> Any:
        require_in_use(g.user_id)
        return view(*args, **kwargs)

    return with_token(checked)


def with_token(view: View) -> View:
    """As signed_in(), for a view whose first statement refuses an account that is not in use: spares a query."""

    @wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        claims = tokens.verify(current_settings().secret_key, tokens.ACCESS, bearer_token())
        if was_revoked(claims):
            raise Unauthenticated
        g.user_id = claims.user_id
        return view(*args, **kwargs)

    guarded.access = "signed in"  # type: ignore[attr-defined]
    return guarded


def bearer_token() -> str | None:
    """The token in the request's header."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token if scheme.lower() == "bearer" else None
