"""What operators and clients ask before anybody signs in."""

from typing import Any
from urllib.parse import urlsplit

from flask import request
from sqlalchemy import select

from api.access.decorators import public
from api.http.blueprint import ApiBlueprint
from shared.core import current_settings
from shared.database.tables import db
from shared.wire.ops import ConfigOut

ops = ApiBlueprint("ops", __name__, description="Configuration and health")


@ops.get("/config")
@public
@ops.response(200, ConfigOut)
def config() -> dict[str, Any]:
    """Where the sockets are, which models may be asked for, and what a reply costs."""
    settings = current_settings()
    return {
        "realtime_url": realtime_url(),
        "models": settings.models,
        "credits_per_reply": settings.credits_per_reply,
    }


@ops.get("/healthz")
@public
@ops.response(200)
def healthz() -> dict[str, Any]:
    """This process answers."""
    return {"status": "ok"}


@ops.get("/readyz")
@public
@ops.response(200)
def readyz() -> dict[str, Any]:
    """This process may be sent requests: its database answers. It needs no Redis to accept a message."""
    db.session.execute(select(1))
    return {"status": "ok"}


def realtime_url() -> str:
    """Where a browser finds `realtime`: as set, or on its own port of the host that was asked."""
    settings = current_settings()
    host = urlsplit(request.host_url).hostname or settings.host
    host = f"[{host}]" if ":" in host else host
    return settings.realtime_url or f"{request.scheme}://{host}:{settings.realtime_port}"
