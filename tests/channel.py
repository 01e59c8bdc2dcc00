"""Listens to the real event channel, as `realtime` does."""

import json
from typing import Self
from uuid import uuid4

from redis import Redis

from shared.redis.link import RedisLink
from shared.wire.events import Event
from tests.eventually import patience


class Channel:
    """Keeps every event that the programs publish while the channel is open."""

    def __init__(self, link: RedisLink, redis_url: str) -> None:
        self._name = link.channel
        self._redis = Redis.from_url(redis_url, socket_timeout=patience(5))
        self._subscription = self._redis.pubsub()
        self._heard: list[Event] = []

    def __enter__(self) -> Self:
        self._subscription.subscribe(self._name)
        assert self._subscription.get_message(timeout=patience(5))  # from here on the subscription misses nothing
        return self

    def __exit__(self, *_: object) -> None:
        self._subscription.close()
        self._redis.close()

    def heard(self) -> list[Event]:
        """All events so far, oldest first. Our own mark in the channel ends the reading, so the test does not wait."""
        mark = uuid4().hex.encode()
        self._redis.publish(self._name, mark)
        for message in self._subscription.listen():
            if message["data"] == mark:
                return list(self._heard)
            self._heard += [Event(*entry) for entry in json.loads(message["data"])]
        raise AssertionError("The channel was closed")

    def names(self) -> list[str]:
        return [event.name for event in self.heard()]

    def named(self, name: str) -> list[Event]:
        return [event for event in self.heard() if event.name == name]

    def forget(self) -> None:
        """Drop all events so far."""
        self.heard()
        self._heard.clear()
