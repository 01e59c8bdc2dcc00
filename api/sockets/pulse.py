"""The server's check of itself: a message that it publishes must come back, else no event reaches its sockets."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from uuid import uuid4

import msgspec

from api.sockets.rooms import Heard
from shared.redis.link import RedisLink

log = logging.getLogger("realtime")

# No user has this id. Other processes get the message too, and pass it on to nobody.
_NOBODY = ""
# Seconds before the next check after a failed one.
_AGAIN = 1.0
_HEARS = "hears: events of the channel arrive"
_DEAF = "deaf: no event of the channel arrives; the server subscribes again"


class Pulse:
    """Publishes a nonce every so many seconds. The nonce must come back within half of that time (D-47)."""

    def __init__(self, link: RedisLink, every: float) -> None:
        self.ready = False
        self._link, self._every = link, every
        self._nonce, self._back = "", False
        self._news = threading.Event()

    def beat(self, cut: Callable[[], None]) -> None:
        """Check for ever. If the nonce does not come back, call `cut` to end the subscription."""
        self._rest(self._every)  # until the first subscription
        while True:
            ready = self._comes_back()
            if ready != self.ready:
                log.warning("realtime.%s", _HEARS if ready else _DEAF)
            self.ready = ready
            if not ready:
                cut()
            self._rest(self._every if ready else _AGAIN)

    def subscribed(self) -> None:
        """Note a new subscription. A nonce from before it cannot come back, so the check sends a new one."""
        self._news.set()

    def heard(self, events: Sequence[Heard]) -> bool:
        """Whether this is the nonce of a check, of this process or of another one."""
        if not events or events[0][0] != _NOBODY:
            return False
        if events[0][1] == self._nonce:
            self._back = True
            self._news.set()
        return True

    def _comes_back(self) -> bool:
        deadline = time.monotonic() + self._every / 2
        while not self._back and (left := deadline - time.monotonic()) > 0:
            self._send()
            self._rest(left)
        back, self._back = self._back, False
        return back

    def _send(self) -> None:
        self._nonce = uuid4().hex
        with self._link.trip() as pipe:
            pipe.publish(self._link.channel, msgspec.json.encode([(_NOBODY, self._nonce, {})]))

    def _rest(self, seconds: float) -> None:
        self._news.wait(seconds)
        self._news.clear()
