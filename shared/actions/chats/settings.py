"""The settings of a chat: change them, and choose the model that they mean."""

from typing import Any

from shared.core import current_settings
from shared.errors.chats import ModelNotOffered
from shared.errors.requests import InvalidRequest


def merged(settings: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    """The settings after a change. A key with None is cleared, and keys that the change does not name stay (D-160).

    Raises InvalidRequest for a model that the server does not offer.
    """
    require_offered(change.get("model"), "settings.model")
    return {name: value for name, value in (settings | change).items() if value is not None}


def choose_model(asked: str | None, settings: dict[str, Any]) -> str:
    """The model of a post: its own, else that of its chat, else the server's default.

    Raises ModelNotOffered if the server has stopped to offer the chat's model.
    """
    of_chat = settings.get("model")
    if asked is None and of_chat and of_chat not in current_settings().models:
        raise ModelNotOffered
    return asked or of_chat or current_settings().model


def require_offered(model: str | None, field: str = "model") -> None:
    """Raises InvalidRequest, which names the field, if the server does not offer this model."""
    if model is not None and model not in current_settings().models:
        raise InvalidRequest(errors={field: ["GET /config lists the models to choose from."]})
