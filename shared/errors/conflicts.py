"""The errors of a request that does not fit the present state of a chat."""

from shared.errors.base import HoldfastError


class ChatBusy(HoldfastError):
    """The chat is busy"""

    code = "chat_busy"
    detail = "A reply of this chat runs or waits; `messageId` names it. Nothing was stored or charged."
    retryable = True


class QueueChanged(HoldfastError):
    """The queue has changed"""

    code = "queue_changed"
    detail = "Other messages wait now, or one of them has changed. Read the queue again, then send its new order."


class NotWaiting(HoldfastError):
    """The message does not wait"""

    code = "not_waiting"
    detail = "No reply to this message waits: a worker has it, or it has ended."
