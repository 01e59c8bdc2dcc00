"""Listens to the event channel, and passes each event on to the tabs of its user on this process."""

import logging
import time
from typing import Any

import msgspec
import redis
import socketio
from redis.client import PubSub

from api.sockets.pulse import Pulse
from api.sockets.rooms import Heard, deliver, present_users
from shared.redis.link import RedisLink, shut

log = logging.getLogger("realtime")

# Seconds before the next try to subscribe when Redis is away.
_RECONNECT = 0.5
# Users that get `resync` at a time. In between, other green threads run.
_RESYNC_BATCH = 100
_NOTHING = "{}"

_decoder = msgspec.json.Decoder(list[tuple[str, str, msgspec.Raw]])


class Ear:
    """One subscription at a time. After each new subscription, all users get `resync`: events may have been lost."""

    def __init__(self, server: socketio.Server, link: RedisLink, pulse: Pulse) -> None:
        self._server, self._link, self._pulse = server, link, pulse
        self._subscription: PubSub | None = None
        self._away = False

    def listen(self) -> None:
        """Listen for ever. If this ended, no socket of this process would get an event any more."""
        while True:
            try:
                with self._link.subscriber() as subscription:
                    self._subscription = subscription
                    subscription.subscribe(self._link.channel)
                    for message in subscription.listen():
                        self._take(message)
            except (redis.RedisError, OSError) as error:
                self._log_once(error)
            except Exception:
                log.exception("realtime.failed: the listener failed; it subscribes again")
            time.sleep(_RECONNECT)

    def cut(self) -> None:
        """End a subscription that brings no events. `listen` then makes a new one."""
        if self._subscription:
            shut(self._subscription)

    def _take(self, message: dict[str, Any]) -> None:
        if message["type"] == "subscribe":  # only from now on does every event arrive
            self._away = False
            self._pulse.subscribed()
            self._resync()
            return
        events = _decode(message["data"])
        if not self._pulse.heard(events):
            deliver(self._server, events)

    def _resync(self) -> None:
        for number, user in enumerate(present_users(self._server), start=1):
            deliver(self._server, [(user, "resync", _NOTHING)])
            if number % _RESYNC_BATCH == 0:
                time.sleep(0)

    def _log_once(self, error: Exception) -> None:
        if not self._away:
            log.warning("realtime.redis_away: %s; no events until Redis is back", error or type(error).__name__)
        self._away = True


def _decode(message: bytes) -> list[Heard]:
    try:  # the data is not parsed, so this is the only check that it is UTF-8
        events = [(user, name, str(data, "utf-8")) for user, name, data in _decoder.decode(message)]
    except (msgspec.DecodeError, UnicodeDecodeError):
        events = None
    if events is None or not all(data.startswith("{") for _, _, data in events):
        log.warning("realtime.unreadable: a message on the event channel is not ours; the server skipped it")
        return []
    return events
