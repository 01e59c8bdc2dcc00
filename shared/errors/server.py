"""The errors of a server that cannot take a request, or cannot end it."""

from shared.errors.base import HoldfastError


class ServerFull(HoldfastError):
    """The server is full"""

    code = "server_full"
    detail = (
        "The server holds as many connections or requests as it can, or no thread was free for 30 s."
        " Send this again later."
    )
    retryable = True


class RequestGivenUp(HoldfastError):
    """The server gave the request up"""

    code = "request_given_up"
    detail = "The server is shutting down, or it failed. Send this again, with the same Idempotency-Key if it had one."
    retryable = True
