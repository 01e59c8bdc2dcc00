"""The headers that every answer has: no cache keeps what belongs to a user, and no browser guesses a type."""

from flask import Response, request


def protect_answer(response: Response) -> Response:
    """Flask calls this after each request. Only the page's own files may be cached, and only if asked without a token.

    Otherwise a cache on the way, or the browser of a shared machine, would keep tokens and messages.
    """
    signed = "Authorization" in request.headers or "Cookie" in request.headers or "Set-Cookie" in response.headers
    return protect(response, keep="" if signed else response.headers.get("Cache-Control", ""))


def protect(response: Response, keep: str = "") -> Response:
    """Forbid caches to keep the answer, unless `keep` says how."""
    response.headers["Cache-Control"] = keep or "no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
