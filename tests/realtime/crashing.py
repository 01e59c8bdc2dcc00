"""Runs `realtime` with a handler that crashes for the user "crash", after the check of the token."""

import sys
from typing import Any

from api import realtime
from api.sockets.presence import Presence

_enter = Presence.enter


def _crash(self: Presence, sid: str, claims: Any) -> None:
    if claims.user_id == "crash":
        raise RuntimeError("on purpose")
    _enter(self, sid, claims)


Presence.enter = _crash  # type: ignore[method-assign]

if __name__ == "__main__":
    sys.exit(realtime.main())
