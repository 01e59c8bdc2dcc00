"""The errors of a request that come from the state of a chat."""

from shared.errors.base import HoldfastError


class ModelNotOffered(HoldfastError):
    """The chat's model is not offered"""

    code = "model_not_offered"
    detail = (
        "The server does not offer the model of this chat any more. Set another one in the chat's `settings`, or send"
        " `model` with the message. GET /config lists the models."
    )
