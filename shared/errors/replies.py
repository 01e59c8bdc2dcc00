"""The errors of a reply. The row of a failed reply stores the code."""

from shared.errors.base import HoldfastError


class ReplyError(HoldfastError):
    """The reason why a reply failed, stored as `error_code`. `retry_after` is in seconds."""

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
