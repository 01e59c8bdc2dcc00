"""The errors of requests that do not fit the messages of a chat: a version, an edit, a fork, the queue."""

from shared.errors.base import HoldfastError


class NotTheLastMessage(HoldfastError):
    """Not the last message"""

    code = "not_the_last_message"
    detail = "Only your last message can be edited or answered anew. To go on from here, fork the chat at this message."


class ReplyOpen(HoldfastError):
    """A reply is not final"""

    code = "reply_open"
    detail = "The reply that `messageId` names is waiting or being written. Wait for its end, or stop it first."


class NothingToRetry(HoldfastError):
    """Nothing to retry"""

    code = "nothing_to_retry"
    detail = "Only a reply that failed, or ended without text, can be retried. Regenerate it to get another answer."


class NothingToContinue(HoldfastError):
    """Nothing to continue"""

    code = "nothing_to_continue"
    detail = "Only a reply that broke off and kept some text can be continued. Retry or regenerate it instead."


class NotEditable(HoldfastError):
    """Not editable"""

    code = "not_editable"
    detail = "Only a message of your own can be edited. To change an answer, regenerate the reply."


class TooManyVersions(HoldfastError):
    """Too many versions"""

    code = "too_many_versions"
    detail = "This message has 100 edits and replies, which is the most. Post it again, or fork the chat before it."


class NotShown(HoldfastError):
    """The message is not shown"""

    code = "not_shown"
    detail = "Another version of this message is shown. Choose this one first: PUT …/messages/{id}/shown."


class ForkTooLarge(HoldfastError):
    """Too much to fork"""

    code = "fork_too_large"
    detail = "There are more than 10,000 messages, or 4 MiB of text, up to here. Fork at an earlier message."


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
    detail = "No reply to this message waits: a worker has it, or it has ended. Name a message as GET …/queue lists it."
