"""Every error a caller, an event or a stored message can name: one closed catalogue of codes.

A class's docstring is its title; its `detail` is the sentence shown to people and says what to do.
`api/http/errors.py` gives each its HTTP status.
"""

from functools import cache
from typing import Any


class HoldfastError(Exception):
    """Something went wrong."""

    code = "internal_error"
    detail = "Something went wrong on our side. Try again; nothing was charged for this request."
    retryable = False

    def __init__(self, detail: str | None = None, **extra: Any) -> None:
        super().__init__(detail or self.detail)
        self.detail = detail or self.detail
        self.extra = extra


class MalformedBody(HoldfastError):
    """The body is not JSON"""

    code = "malformed_body"
    detail = "Send one JSON object, UTF-8 encoded, without NaN, Infinity or a field that stands twice."


class WrongContentType(HoldfastError):
    """The content type is not JSON"""

    code = "wrong_content_type"
    detail = "Send the body as application/json."


class BodyTooLarge(HoldfastError):
    """The body is too large"""

    code = "body_too_large"
    detail = "The request is larger than the server takes. Shorten it and send it again."


class InvalidRequest(HoldfastError):
    """A field is wrong"""

    code = "invalid_request"
    detail = "One or more fields are missing or wrong; `errors` names each. Nothing was stored."


class Unauthenticated(HoldfastError):
    """Not signed in"""

    code = "unauthenticated"
    detail = "Send a valid access token: `Authorization: Bearer …`. Sign in to get one."


class TokenExpired(HoldfastError):
    """The access token has expired"""

    code = "token_expired"
    detail = "The token has expired. Get a new one from POST /auth/refresh or sign in again."


class WrongCredentials(HoldfastError):
    """Wrong email or password"""

    code = "wrong_credentials"
    detail = "No account matches this email and password."


class EmailTaken(HoldfastError):
    """The email is in use"""

    code = "email_taken"
    detail = "An account with this email exists. Sign in instead."


class Forbidden(HoldfastError):
    """Not yours"""

    code = "forbidden"
    detail = "There is nothing here that you may use."


class NotFound(HoldfastError):
    """Not found"""

    code = "not_found"
    detail = "There is nothing at this address; it may have been deleted."


class MethodNotAllowed(HoldfastError):
    """The method is not allowed here"""

    code = "method_not_allowed"
    detail = "This address does not take that method. GET /openapi.json lists what it takes."


class NotAReply(HoldfastError):
    """Not a reply"""

    code = "not_a_reply"
    detail = "This is a message of your own; only a reply can be stopped."


class ReplyRunning(HoldfastError):
    """The reply is being written"""

    code = "reply_running"
    detail = "The reply is being written. Stop it first, or delete the message it answers."


class WrongPassword(HoldfastError):
    """Wrong password"""

    code = "wrong_password"
    detail = "This is not the password of your account. Nothing was deleted."


class InsufficientCredits(HoldfastError):
    """Not enough credits"""

    code = "insufficient_credits"
    detail = "The balance does not cover a reply. Nothing was stored or charged."


class TooManyWaiting(HoldfastError):
    """Too many replies are waiting"""

    code = "too_many_waiting"
    detail = "Too many of your replies are waiting. Send this again once some have finished."
    retryable = True


class KeyReused(HoldfastError):
    """The idempotency key was used for something else"""

    code = "idempotency_key_reused"
    detail = "This Idempotency-Key was sent before with another request. Use a new key for a new request."


class DatabaseUnavailable(HoldfastError):
    """The database does not answer"""

    code = "database_unavailable"
    detail = "The database does not answer. Send this again, with the same Idempotency-Key if it had one."
    retryable = True


class ReplyError(HoldfastError):
    """Why a reply failed; stored with it as `error_code`. `retry_after` is in seconds."""

    def __init__(self, detail: str | None = None, *, retry_after: float | None = None) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class ReplyFailed(ReplyError):
    """The worker failed"""

    code = "reply_failed"
    detail = "Something went wrong on our side while the reply was written. Your credits were returned."


class ModelUnavailable(ReplyError):
    """The model does not answer"""

    code = "model_unavailable"
    detail = "The model could not be reached. Your credits were returned; try again in a moment."
    retryable = True


class RateLimited(ReplyError):
    """The model is overloaded"""

    code = "rate_limited"
    detail = "The model takes no more requests right now. Your credits were returned; try again later."
    retryable = True


class ModelRejected(ReplyError):
    """The model refused the request"""

    code = "model_rejected"
    detail = "The model refused this request. Your credits were returned; tell the operator if it goes on."


class ContextTooLong(ReplyError):
    """The message is too long for the model"""

    code = "context_too_long"
    detail = "This message alone is too long for this model. Your credits were returned; send a shorter one."


class ContentFiltered(ReplyError):
    """The model's filter stopped the reply"""

    code = "content_filtered"
    detail = "The model's content filter stopped this reply. Your credits were returned; rephrase the message."


class ModelTimeout(ReplyError):
    """The model took too long"""

    code = "model_timeout"
    detail = "The model took too long. Your credits were returned; try again."
    retryable = True


class ModelTruncated(ReplyError):
    """The model stopped half-way"""

    code = "model_truncated"
    detail = "The model's answer broke off. Your credits were returned; try again."
    retryable = True


class EmptyReply(ReplyError):
    """The model said nothing"""

    code = "empty_reply"
    detail = "The model sent an empty answer. Your credits were returned; try again."
    retryable = True


class WorkerLost(ReplyError):
    """The worker died"""

    code = "worker_lost"
    detail = "The program writing this reply died more than once. Your credits were returned; try again."


class ReplyTimeout(ReplyError):
    """The reply took too long"""

    code = "reply_timeout"
    detail = "The reply was not finished in time. Your credits were returned; try again."


@cache
def catalogue() -> dict[str, type[HoldfastError]]:
    """Every code with its class."""
    found: dict[str, type[HoldfastError]] = {}
    waiting: list[type[HoldfastError]] = [HoldfastError]
    for known in waiting:
        waiting += known.__subclasses__()
        found.setdefault(known.code, known)
    return found
