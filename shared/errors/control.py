"""The errors of requests about messages that are there: another version, an edit, a fork."""

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
    detail = "Only a message of your own can be edited. To get another answer, regenerate the reply."


class NotShown(HoldfastError):
    """The message is not shown"""

    code = "not_shown"
    detail = "Another version of this message is shown. Choose this one first: PUT …/messages/{id}/shown."


class ForkTooLarge(HoldfastError):
    """Too much to fork"""

    code = "fork_too_large"
    detail = "There are more than 10,000 messages, or 4 MiB of text, up to here. Fork at an earlier message."
