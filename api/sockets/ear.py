"""Hears the event channel for ever, and passes on to the tabs of this process what it says."""

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

# Seconds before the next try when Redis is away.
_RECONNECT = 0.5
# Users told at a time to ask what they missed; in between, other sockets get their turn.
_RESYNC_BATCH = 100
_NOTHING = "{}"

_decoder = msgspec.json.Decoder(list[tuple[str, str, msgspec.Raw]])


class Ear:
    """One subscription at a time; each that is made anew tells everybody to ask what they missed."""

    def __init__(self, server: socketio.Server, link: RedisLink, pulse: Pulse) -> None:
        self._server, self._link, self._pulse = server, link, pulse
        self._subscription: PubSub | None = None
        self._away = False

    def listen(self) -> None:
        """For ever: a listener that ended would leave every socket deaf."""
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
                log.exception("realtime.failed")
            time.sleep(_RECONNECT)

    def cut(self) -> None:
        """Give up a subscription through which nothing comes; `listen` makes another."""
        if self._subscription:
            shut(self._subscription)

    def _take(self, message: dict[str, Any]) -> None:
        if message["type"] == "subscribe":  # only now is it certain to hear all
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
            log.warning("realtime.redis_away: %s", error or type(error).__name__)
        self._away = True


def _decode(message: bytes) -> list[Heard]:
    try:  # the data is not parsed, so nothing else would find out whether it is UTF-8
        events = [(user, name, str(data, "utf-8")) for user, name, data in _decoder.decode(message)]
    except (msgspec.DecodeError, UnicodeDecodeError):
        events = None
    if events is None or not all(data.startswith("{") for _, _, data in events):
        log.warning("realtime.unreadable: a message on the channel is not ours")
        return []
    return events
