"""The table of HTTP statuses of all errors, and the one shape in which the API sends them: problem+json."""

import logging
from itertools import islice
from typing import Any

import msgspec
from flask import Flask, Response
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from shared.database.retries import DATABASE_AWAY
from shared.errors import chats, control, requests, server
from shared.errors.base import HoldfastError
from shared.text import clean

log = logging.getLogger(__name__)

STATUS: dict[type[HoldfastError], int] = {
    requests.MalformedRequest: 400,
    requests.MalformedBody: 400,
    requests.Unauthenticated: 401,
    requests.TokenExpired: 401,
    requests.WrongCredentials: 401,
    requests.InsufficientCredits: 402,
    requests.Forbidden: 403,
    requests.WrongPassword: 403,
    requests.NotFound: 404,
    requests.MethodNotAllowed: 405,
    requests.RequestTooSlow: 408,
    requests.EmailTaken: 409,
    requests.NotAReply: 409,
    requests.ReplyRunning: 409,
    control.NotTheLastMessage: 409,
    control.ReplyOpen: 409,
    control.NothingToRetry: 409,
    control.NothingToContinue: 409,
    control.NotEditable: 409,
    control.TooManyVersions: 409,
    control.NotShown: 409,
    control.ForkTooLarge: 422,
    control.ChatBusy: 409,
    control.QueueChanged: 409,
    control.NotWaiting: 409,
    chats.ModelNotOffered: 409,
    requests.BodyTooLarge: 413,
    requests.AddressTooLong: 414,
    requests.WrongContentType: 415,
    requests.InvalidRequest: 422,
    requests.KeyReused: 422,
    requests.TooManyWaiting: 429,
    requests.TooManyRequests: 429,
    requests.TooManySignIns: 429,
    requests.TooManySockets: 429,
    requests.TooMuchSent: 429,
    requests.HeadersTooLarge: 431,
    requests.DatabaseUnavailable: 503,
    server.ServerFull: 503,
    server.RequestGivenUp: 503,
}
# The errors that werkzeug raises by itself, by HTTP status.
_FROM_HTTP: dict[int, type[HoldfastError]] = {
    400: requests.MalformedRequest,
    404: requests.NotFound,
    405: requests.MethodNotAllowed,
    413: requests.BodyTooLarge,
    414: requests.AddressTooLong,
    415: requests.WrongContentType,
    422: requests.InvalidRequest,
    431: requests.HeadersTooLarge,
}
# Seconds after which a client should try again. The other errors that tell this know their own seconds.
_RETRY_AFTER = {
    requests.DatabaseUnavailable: 2,
    requests.TooManyWaiting: 10,
    server.ServerFull: 5,
    server.RequestGivenUp: 5,
}
# Fields that one answer names, messages for each, and characters of a name. Clients choose the names (D-103).
_MOST_FIELDS, _MOST_MESSAGES, _LONGEST_NAME = 10, 5, 64


def register_errors(app: Flask) -> None:
    """Make the app answer every failure of a request as problem+json."""
    app.register_error_handler(HoldfastError, problem)
    app.register_error_handler(HTTPException, _from_http)
    app.register_error_handler(SQLAlchemyError, _from_database)
    app.register_error_handler(Exception, _from_bug)


def problem(error: HoldfastError) -> Response:
    """An error as `application/problem+json`."""
    body = body_of(error)
    response = Response(msgspec.json.encode(body), body["status"], mimetype="application/problem+json")
    if "retryAfter" in body:
        response.headers["Retry-After"] = str(body["retryAfter"])
    if body["status"] == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def body_of(error: HoldfastError) -> dict[str, Any]:
    """The fields of an error. The OpenAPI document has one of each kind as an example."""
    kind = type(error)
    body: dict[str, Any] = {
        "type": f"urn:holdfast:error:{error.code}",
        "title": (kind.__doc__ or "").strip(),
        "status": STATUS.get(kind, 500),
        "detail": error.detail,
        "code": error.code,
        "retryable": error.retryable,
        **_shortened(error.extra),
    }
    return body | ({"retryAfter": _RETRY_AFTER[kind]} if kind in _RETRY_AFTER else {})


def _shortened(extra: dict[str, Any]) -> dict[str, Any]:
    """Of `errors` only the first fields, with their names cut. `moreErrors` is the number of the others."""
    errors = extra.get("errors", {})
    named = {clean(str(name))[:_LONGEST_NAME]: errors[name][:_MOST_MESSAGES] for name in islice(errors, _MOST_FIELDS)}
    more = {"moreErrors": len(errors) - _MOST_FIELDS} if len(errors) > _MOST_FIELDS else {}
    return extra | ({"errors": named} if errors else {}) | more


def _from_http(error: HTTPException) -> Response:
    if error.code is None or error.code < 400:
        return Response(status=error.code, headers=error.get_headers())  # a redirect is no error
    if error.code >= 500:
        return _from_bug(error)
    answer = problem(_FROM_HTTP.get(error.code, requests.MalformedRequest)())
    if isinstance(error, MethodNotAllowed):
        answer.headers["Allow"] = ", ".join(sorted(error.valid_methods or ()))
    return answer


def _from_database(error: SQLAlchemyError) -> Response:
    """Answer 503 if the database is away or locked. Any other database error is a bug of ours, and answers 500."""
    broken = isinstance(error, DBAPIError) and error.connection_invalidated
    if not broken and not isinstance(error, DATABASE_AWAY):
        return _from_bug(error)
    log.warning("database.away: %s; the API answered 503, and the client may try again", type(error).__name__)
    return problem(requests.DatabaseUnavailable())


def _from_bug(error: Exception) -> Response:
    log.error("request.failed: %s; the API answered 500", type(error).__name__, exc_info=error)
    return problem(HoldfastError())
