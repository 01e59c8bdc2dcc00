"""The servers that hostile clients attack."""

from tests.realtime.conftest import server, start

__all__ = ["server", "start"]
