"""Answers requests that make messages: within the limits, with an Idempotency-Key, and 202 with the new rows."""

from collections.abc import Callable
from typing import Any, TypeVar

from flask import g, request

from api.access.limits import Limit, spend
from api.resources.live_text import placed, with_live_text
from shared.actions.messages.accept import Posted, accepted_before
from shared.actions.messages.idempotency import Request
from shared.errors.requests import InvalidRequest, TooManyRequests
from shared.wire.credits import credits_data

R = TypeVar("R", bound=Request)
T = TypeVar("T")
_LONGEST_KEY = 255


def accepted(verb: Callable[[str, R, str | None], Posted], asked: R) -> tuple[dict[str, Any], int, dict[str, str]]:
    """Accept the request, and answer 202; 201 if no reply follows. The route documents both."""
    posted = within_limits(Limit.POSTS, verb, accepted_before, asked, idempotency_key())
    replayed = {"Idempotent-Replayed": "true"} if posted.replayed else {}
    return _presented(posted), 202 if posted.reply else 201, replayed


def idempotency_key() -> str | None:
    """The request's key; None without one. Raises InvalidRequest."""
    key = request.headers.get("Idempotency-Key")
    if key is not None and not (0 < len(key) <= _LONGEST_KEY and key.isascii() and key.isprintable()):
        raise InvalidRequest(errors={"Idempotency-Key": [f"1 to {_LONGEST_KEY} printable ASCII characters."]})
    return key


def within_limits(
    limit: Limit,
    verb: Callable[[str, R, str | None], T],
    known: Callable[[str, R, str | None], T | None],
    asked: R,
    key: str | None,
) -> T:
    """Accept within this limit. Answer a `known` key even beyond it, since its rows were made (D-112)."""
    try:
        spend(limit, g.user_id)
    except TooManyRequests:
        if before := known(g.user_id, asked, key):
            return before
        raise
    return verb(g.user_id, asked, key)


def _presented(posted: Posted) -> dict[str, Any]:
    return {"message": posted.message, "reply": _live(posted), "credits": credits_data(posted.account)}


def _live(posted: Posted) -> Any:
    if posted.reply is None:
        return None
    if posted.ahead is None:
        return with_live_text([posted.reply])[0]
    return placed(posted.reply, posted.ahead)
