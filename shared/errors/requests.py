"""The errors of a request."""

from shared.errors.base import HoldfastError


class MalformedRequest(HoldfastError):
    """The request is not HTTP"""

    code = "malformed_request"
    detail = "The request is not well-formed HTTP/1.1. Check its first line and its headers."


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
    detail = "The body is larger than this address takes. Shorten it and send it again."


class AddressTooLong(HoldfastError):
    """The address is too long"""

    code = "address_too_long"
    detail = "Path and query together are longer than the server takes. Shorten the query."


class HeadersTooLarge(HoldfastError):
    """The headers are too large"""

    code = "headers_too_large"
    detail = "The headers are larger than the server takes: 16 KB each, 32 KB together. Send fewer or shorter ones."


class RequestTooSlow(HoldfastError):
    """The request came too slowly"""

    code = "request_too_slow"
    detail = "The request did not arrive in time. Send it again, over a faster connection if you can."
    retryable = True


class InvalidRequest(HoldfastError):
    """A field is wrong"""

    code = "invalid_request"
    detail = "One or more fields are missing or wrong; `errors` names them. Nothing was stored."


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
    detail = "This message is no reply; only a reply can be stopped."


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


class TooManyRequests(HoldfastError):
    """Too many requests"""

    code = "too_many_requests"
    detail = "That is more often than the server allows. Send this again after the seconds in `retryAfter`."
    retryable = True


class TooManySignIns(HoldfastError):
    """Too many sign-ins at once"""

    code = "too_many_sign_ins"
    detail = "The server checks as many passwords as it can. Send this again after the seconds in `retryAfter`."
    retryable = True


class TooManySockets(HoldfastError):
    """Too many sockets are open"""

    code = "too_many_sockets"
    detail = "Too many sockets are open, of yours or of all users. Close other tabs, or connect again later."
    retryable = True


class TooMuchSent(HoldfastError):
    """A socket sent too much"""

    code = "too_much_sent"
    detail = "The socket sent more than a client may. Connect again, and send nothing but `auth.refresh`."
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
