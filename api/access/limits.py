"""Limits: how often a user or an address may do something. Each answer tells what is left (`docs/security.md`).

Redis counts for all processes. While Redis is away or slow, each process counts for itself (D-108).
"""

import hashlib
import logging
import math
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from enum import Enum

from flask import Flask, Response, current_app, g
from throttled import MemoryStore, RateLimitState, RedisStore, Throttled, per_duration
from throttled.exceptions import StoreUnavailableError

from shared.core import current_link
from shared.errors.requests import TooManyRequests
from shared.redis.link import BREAK, RedisLink, connection_options
from shared.settings import Settings
from shared.settings.rates import Rate

log = logging.getLogger(__name__)

# Seconds that one answer of Redis may take. After a longer one, this process counts for itself for a while. That does
# no harm, so the time-out is shorter than the one of other trips.
_TIMEOUT = 0.1
# The users and addresses that one process can count. Beyond them, it forgets those that asked least recently.
_MOST_KEYS = 100_000
_HOUR = 3600


class Limit(Enum):
    """A limit, by the part of its keys in Redis."""

    REQUESTS = "requests of a user"
    POSTS = "posts of a user"
    FORKS = "forks of a user"
    SIGN_UPS = "sign-ups of an address"
    GUESSES = "wrong passwords of an address for an account"
    MORE_GUESSES = "wrong passwords of an address for an account, in the long run"
    GUESSES_OF_ADDRESS = "wrong passwords of an address for all accounts"
    GUESSES_OF_ACCOUNT = "wrong passwords of all addresses for an account"


# The part of a limit that somebody may spend in one process before the process asks Redis. Few people post so often, so
# most posts need no trip (D-108). Requests take the threads of this process, so it counts them alone (D-109).
_WITHOUT_REDIS = {Limit.POSTS: 0.1, Limit.REQUESTS: 1.0}


def _rates(settings: Settings) -> dict[Limit, Rate]:
    posts, guesses = Rate.parse(settings.rate_limit_posts), Rate.parse(settings.rate_limit_auth)
    return {
        Limit.REQUESTS: Rate.parse(settings.rate_limit_requests),
        Limit.POSTS: posts,
        # A fork stores up to 10,000 messages for nothing, and on SQLite nobody else writes meanwhile (D-222).
        Limit.FORKS: Rate(math.ceil(posts.times / 6), posts.seconds),
        Limit.SIGN_UPS: Rate.parse(settings.rate_limit_sign_ups),
        Limit.GUESSES: guesses,
        # After three times as many, the wait for each further guess grows to an hour's share (D-110).
        Limit.MORE_GUESSES: Rate(3 * guesses.times, max(_HOUR, guesses.seconds)),
        Limit.GUESSES_OF_ADDRESS: Rate(10 * guesses.times, guesses.seconds),
        Limit.GUESSES_OF_ACCOUNT: Rate(10 * guesses.times, max(_HOUR, guesses.seconds)),
    }


class Limits:
    """All limits of this process."""

    def __init__(self, settings: Settings, link: RedisLink) -> None:
        self._secret = settings.secret_key.encode()[: hashlib.blake2b.MAX_KEY_SIZE]
        self._own_until = 0.0
        self._rates = _rates(settings)
        own = MemoryStore(options={"MAX_SIZE": _MOST_KEYS})
        shared = RedisStore(settings.redis_url, {"CONNECTION_POOL_KWARGS": connection_options(_TIMEOUT)})
        counters = {
            store: {
                limit: Throttled(
                    using="gcra",
                    quota=per_duration(timedelta(seconds=rate.seconds), rate.times),
                    store=store,
                    key_prefix=link.key("limit", limit.name.lower()),
                )
                for limit, rate in self._rates.items()
            }
            for store in (own, shared)
        }
        self._own, self._shared = counters[own], counters[shared]

    def spend(self, limit: Limit, whose: str) -> RateLimitState:
        """Count one more, unless nothing is left. If `retry_after` is above 0, nothing was left."""
        key = self._key(whose)
        own = self._own[limit].limit(key).state
        spent = own.limit - own.remaining
        if own.retry_after > 0 or spent <= own.limit * _WITHOUT_REDIS.get(limit, 0):
            return own
        shared = self._of_all(lambda: self._shared[limit].limit(key).state)
        return shared if shared and self._is_possible(limit, shared) else own

    def look(self, limit: Limit, whose: str) -> RateLimitState:
        """The rest of the limit, without counting."""
        key, rate = self._key(whose), self._rates[limit]
        shared = self._of_all(lambda: self._shared[limit].peek(key))
        state = shared if shared and self._is_possible(limit, shared) else self._own[limit].peek(key)
        # The library's own figure lacks the last step, from "nothing is left" to "one is left"
        return replace(state, retry_after=max(0.0, state.reset_after - rate.seconds + rate.seconds / rate.times))

    def _is_possible(self, limit: Limit, state: RateLimitState) -> bool:
        """False if the clock of Redis was set back since it counted. The wait would be as long as that step."""
        return state.reset_after <= self._rates[limit].seconds + 1

    def _key(self, whose: str) -> str:
        """A name for Redis from which nobody can read an address or an email."""
        return hashlib.blake2b(whose.encode(), key=self._secret, digest_size=16).hexdigest()

    def _of_all(self, ask: Callable[[], RateLimitState]) -> RateLimitState | None:
        """The count of all processes; None while Redis is away."""
        if current_link().broken or time.monotonic() < self._own_until:
            return None
        try:
            return ask()
        except StoreUnavailableError as error:
            self._own_until = time.monotonic() + BREAK
            log.warning("limits.redis_away: %s; this process counts for itself", type(error.__cause__).__name__)
            return None


def register_limits(app: Flask, settings: Settings) -> None:
    """Give the app its limits, and its answers their headers."""
    app.extensions["limits"] = Limits(settings, app.extensions["redis_link"])
    app.after_request(_with_headers)


def spend(limit: Limit, whose: str) -> None:
    """Count one more for this user or address. Raises TooManyRequests if nothing is left."""
    state = limits().spend(limit, whose)
    g.left = state
    refuse_for(state.retry_after)


def refuse_for(seconds: float) -> None:
    """Raises TooManyRequests, unless the wait is over."""
    if seconds > 0:
        raise TooManyRequests(retryAfter=math.ceil(seconds))


def limits() -> Limits:
    """The limits of the app whose context is active."""
    found = current_app.extensions["limits"]
    assert isinstance(found, Limits)
    return found


def _with_headers(response: Response) -> Response:
    """Tell the client what is left of the limit that the request has spent last, and when all of it will be."""
    state: RateLimitState | None = g.pop("left", None)
    if state:
        response.headers["RateLimit-Limit"] = str(state.limit)
        response.headers["RateLimit-Remaining"] = str(state.remaining)
        response.headers["RateLimit-Reset"] = str(math.ceil(state.reset_after))
    return response
