"""The program's check of itself: what it publishes must come back to it, else it is deaf, however well it looks."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from uuid import uuid4

import msgspec

from api.sockets.rooms import Heard
from shared.redis.link import RedisLink

log = logging.getLogger("realtime")

# Nobody's room: other processes hear a pulse too, and pass it on to no one.
_NOBODY = ""
# Seconds before the next try after one that failed.
_AGAIN = 1.0


class Pulse:
    """A nonce every so many seconds, which is to be back within half of that."""

    def __init__(self, link: RedisLink, every: float) -> None:
        self.ready = False
        self._link, self._every = link, every
        self._nonce, self._back = "", False
        self._news = threading.Event()

    def beat(self, cut: Callable[[], None]) -> None:
        """For ever; `cut` is called when nothing came back."""
        self._rest(self._every)  # until the first subscription
        while True:
            ready = self._comes_back()
            if ready != self.ready:
                log.warning("realtime.%s", "hears" if ready else "deaf: nothing comes back from the channel")
            self.ready = ready
            if not ready:
                cut()
            self._rest(self._every if ready else _AGAIN)

    def subscribed(self) -> None:
        """The channel can be heard from now on: no use in waiting for what was sent before."""
        self._news.set()

    def heard(self, events: Sequence[Heard]) -> bool:
        """Whether this came from a pulse, of this process or of another."""
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
