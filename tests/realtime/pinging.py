"""Runs `realtime` with a ping every 0.2 s. A client has a second for its pong."""

import sys
from typing import Any

from api import realtime
from api.sockets.outbox import Pings

_create = realtime.create_server


def _pinging(*parts: Any) -> realtime.Server:
    server = _create(*parts)
    server._pings, server.eio.ping_timeout = Pings(0.2), 1.0
    return server


realtime.create_server, realtime._LOOK = _pinging, 0.1  # type: ignore[assignment]

if __name__ == "__main__":
    sys.exit(realtime.main())
