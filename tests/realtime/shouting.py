"""Runs `realtime` with a door check that emits to everybody. The rooms must refuse that."""

import sys
from typing import Any

from api import realtime

_look = realtime.look_around


def _shout(server: Any, *rest: Any) -> None:
    _look(server, *rest)
    server.emit("for everybody", {"secret": True})


realtime.look_around = _shout

if __name__ == "__main__":
    sys.exit(realtime.main())
