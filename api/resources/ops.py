"""The routes for operators and clients before anybody signs in: configuration and health."""

from typing import Any
from urllib.parse import urlsplit

from flask import request
from sqlalchemy import select

from api.access.decorators import public
from api.http.blueprint import ApiBlueprint
from shared.core import current_settings
from shared.database.tables import db
from shared.network.addresses import in_url
from shared.wire.ops import ConfigOut, HealthOut

ops = ApiBlueprint("ops", __name__, description="Configuration and health")


@ops.get("/config")
@public
@ops.response(200, ConfigOut)
def get_config() -> dict[str, Any]:
    """The address of the socket server, the models to choose from, and the price of a reply."""
    settings = current_settings()
    return {
        "realtime_url": realtime_url(),
        "models": settings.models,
        "credits_per_reply": settings.credits_per_reply,
    }


@ops.get("/healthz")
@public
@ops.response(200, HealthOut)
def get_health() -> dict[str, Any]:
    """This process answers."""
    return {"status": "ok"}


@ops.get("/readyz")
@public
@ops.response(200, HealthOut)
def get_readiness() -> dict[str, Any]:
    """This process takes requests: its database answers. It accepts messages without Redis, so it asks no Redis."""
    db.session.execute(select(1))
    return {"status": "ok"}


def realtime_url() -> str:
    """The address of `realtime` for browsers: that of the settings, or REALTIME_PORT on the host of this request."""
    settings = current_settings()
    # host_url would decode an international name, and a client can send one that is none
    host = in_url(urlsplit(f"//{request.host}").hostname or settings.host)
    return settings.realtime_url or f"{request.scheme}://{host}:{settings.realtime_port}"
