"""Sign up, sign in, refresh and sign out."""

from functools import partial
from typing import Any, TypeGuard

from flask import Response, after_this_request, request
from sqlalchemy import select

from api.access import tokens
from api.access.decorators import bearer_token, public
from api.access.limits import Limit, spend
from api.access.passwords import checks_a_password, new_hash, password_fits
from api.access.revoked import known
from api.http.blueprint import ApiBlueprint
from shared.actions.accounts.create import create_account
from shared.actions.accounts.sign_ins import begin_sign_in, end_sign_in, renew_sign_in
from shared.core import current_settings
from shared.database.clock import read_db_moment
from shared.database.tables import db
from shared.errors.requests import TokenExpired, Unauthenticated, WrongCredentials
from shared.models import User
from shared.models.user import DEMO
from shared.wire.accounts import RefreshIn, SessionOut, SignInIn, SignUpIn

auth = ApiBlueprint("auth", __name__, url_prefix="/auth", description="Accounts and sessions")
_COOKIE = "holdfast_refresh"


@auth.post("/sign-up")
@public
@checks_a_password
@auth.arguments(SignUpIn)
@auth.response(201, SessionOut)
def sign_up(body: dict[str, Any]) -> Any:
    """Make an account and sign in to it."""
    user = create_account(body["email"], new_hash(body["password"]))
    return _session(user, begin_sign_in(user.id), body["token_mode"])


@auth.post("/sign-in")
@public
@checks_a_password
@auth.arguments(SignInIn)
@auth.response(200, SessionOut)
def sign_in(body: dict[str, Any]) -> Any:
    """Start a session."""
    user = db.session.execute(select(User).where(User.email == body["email"])).scalar()
    db.session.remove()  # no transaction stays open while the password is tried
    fits = password_fits(body["password"], user.password_hash if user else None, body["email"])
    if not fits or not _may_use(user):
        raise WrongCredentials
    return _session(user, begin_sign_in(user.id), body["token_mode"])


@auth.post("/refresh")
@public
@auth.arguments(RefreshIn)
@auth.response(200, SessionOut)
def refresh_session(body: dict[str, Any]) -> Any:
    """A new access token for the refresh token in the cookie or the body, while the session has not ended."""
    token = body.get("refresh_token") or request.cookies.get(_COOKIE)
    claims = tokens.read(current_settings().secret_key, tokens.REFRESH, token)
    if claims.expired(known().now()):  # a token of a later time is good: its sign-in decides, by the database's clock
        raise TokenExpired
    spend(Limit.REQUESTS, claims.user_id)
    user = db.session.get(User, claims.user_id)
    db.session.remove()  # renew_sign_in() takes a connection of its own
    if not _may_use(user) or not claims.session_id:
        raise Unauthenticated
    renew_sign_in(claims.session_id, claims.user_id)
    return _session(user, claims.session_id, "body" if body.get("refresh_token") else "cookie")


@auth.post("/sign-out")
@public
@auth.arguments(RefreshIn)
@auth.response(204)
def sign_out(body: dict[str, Any]) -> Response:
    """End the session of each token that comes with the request: in the cookie, the body and the header.

    The refresh token is refused at once. The access tokens and sockets of the session end within seconds. An expired
    token ends its session too. Without a token of ours nothing happens, and the answer is the same.
    """
    shown = [
        _ours(tokens.REFRESH, body.get("refresh_token")),
        _ours(tokens.REFRESH, request.cookies.get(_COOKIE)),
        _ours(tokens.ACCESS, bearer_token()),
    ]
    for session_id, user_id in {(claims.session_id, claims.user_id) for claims in shown if claims}:
        spend(Limit.REQUESTS, user_id)
        if session_id:
            end_sign_in(session_id, user_id)
    return forget_session()


def _ours(purpose: str, token: str | None) -> tokens.Claims | None:
    """The content of a token that we signed; None for any other.

    Its times do not matter. After a change of the clock, the answer would otherwise hide a session that goes on.
    """
    try:
        return tokens.read(current_settings().secret_key, purpose, token)
    except Unauthenticated:
        return None


def forget_session() -> Response:
    """A `204` that deletes the cookie with the refresh token."""
    response = Response(status=204)
    response.delete_cookie(_COOKIE, **_cookie_scope())
    return response


def _may_use(user: User | None) -> TypeGuard[User]:
    """Whether this account may be used. A deleted or disabled one may not.

    In production the demo user may not either, because its password stands in a file.
    """
    if user is None or user.deleted_at or user.disabled_at:
        return False
    return user.role != DEMO or current_settings().env != "production"


def _session(user: User, session_id: str, token_mode: str) -> Any:
    settings = current_settings()
    now = read_db_moment().timestamp()
    sign = partial(tokens.issue, settings.secret_key, user_id=user.id, session_id=session_id, at=now)
    fresh = sign(tokens.REFRESH, lifetime=settings.refresh_token_seconds)
    answer = {
        "access_token": sign(tokens.ACCESS, lifetime=settings.access_token_seconds),
        "expires_in": settings.access_token_seconds,
        "user": user,
    }
    if token_mode == "body":
        return answer | {"refresh_token": fresh}
    after_this_request(partial(_with_cookie, token=fresh, lifetime=settings.refresh_token_seconds))
    return answer


def _with_cookie(response: Response, token: str, lifetime: int) -> Response:
    response.set_cookie(_COOKIE, token, max_age=lifetime, **_cookie_scope())
    return response


def _cookie_scope() -> dict[str, Any]:
    """The browser sends the cookie to /auth only, and from this site's pages only. No script can read it."""
    secure = request.is_secure or current_settings().public_url.startswith("https:")
    return {"path": "/auth", "httponly": True, "samesite": "Strict", "secure": secure}
