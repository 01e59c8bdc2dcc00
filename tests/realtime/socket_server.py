"""One real `realtime` process with its Redis, and the tests' actions on them."""

import contextlib
import json
import time
from typing import Any, Self

import httpx2
import jwt
import psutil
from redis import Redis

from shared.network.addresses import in_url, local
from shared.redis.link import RedisLink
from shared.redis.revocations import revocations_key
from tests.environment import environment
from tests.eventually import eventually, patience
from tests.services.guard import Guard
from tests.services.programs import bare_environment, free_port
from tests.services.redis import RedisServer
from tests.services.service import Service
from tests.services.sockets import RawSocket, SocketClient

# Seconds. A test can wait for so short a time. A client has as long to show its token as to leave after its end.
PATIENCE = 1.0
IMPATIENT = {"HOLDFAST_SOCKET_AUTH_SECONDS": str(PATIENCE)}
# Tests wait for the ends of sockets too, and on a busy machine a client needs more than a second for its token.
_PATIENT = {"HOLDFAST_SOCKET_AUTH_SECONDS": "3"}


class SocketServer:
    """A `realtime` process, ready when entered. `settings` extend its environment; `module` starts a patched one."""

    def __init__(
        self, guard: Guard, redis: RedisServer, name: str = "sockets", *, module: str = "api.realtime", **settings: str
    ) -> None:
        self.redis = redis
        self.environment = {
            **bare_environment(),
            **environment(f"sqlite:///{guard.folder}/none.db", redis.url, guard.folder, "http://127.0.0.1:1"),
            **_PATIENT,
            "REALTIME_PORT": str(free_port()),
            **settings,
        }
        host = in_url(local(settings.get("HOLDFAST_HOST", "127.0.0.1")))
        self.url = f"http://{host}:{self.environment['REALTIME_PORT']}"
        self.link = RedisLink(redis.url, "holdfast:test")
        self.secret = self.environment["SECRET_KEY"]
        own = f"{name}-{self.environment['REALTIME_PORT']}"  # or its log would begin with the one of an earlier server
        self.service = Service(guard, own, f"python -m {module}", environment=self.environment, green=True)

    def __enter__(self) -> Self:
        self.service.start()
        self.wait_until_ready()
        return self

    def __exit__(self, *_: object) -> None:
        self.service.stop()

    def wait_until_ready(self, within: float = 20) -> None:
        eventually(lambda: self.service.must_live() and self.ready, within)

    @property
    def ready(self) -> bool:
        return self.status("/readyz") == 200

    def status(self, path: str) -> int | None:
        """The status of an HTTP answer. None means no answer."""
        with contextlib.suppress(httpx2.TransportError):
            return httpx2.get(f"{self.url}{path}", timeout=patience(5)).status_code
        return None

    def token(self, user: str, lifetime: float = 60, **claims: Any) -> str:
        """A token as `api/access/tokens.py` makes it. None takes a claim away."""
        now = int(time.time())
        whole = {"iss": "holdfast", "aud": "access", "sub": user, "iat": now, "exp": int(now + lifetime), **claims}
        said = {name: value for name, value in whole.items() if value is not None}
        return jwt.encode(said, self.secret, algorithm="HS256")

    def client(self, user: str, **claims: Any) -> SocketClient:
        return SocketClient(self.url, self.token(user, **claims))

    def raw(self, **options: Any) -> RawSocket:
        return RawSocket(self.url, **options)

    def let_in(self, user: str, **claims: Any) -> RawSocket:
        """A raw socket that has shown its token."""
        raw = self.raw()
        answer = raw.authenticate({"token": self.token(user, **claims)})
        assert answer.startswith('40{"sid"'), answer
        return raw

    def publish(self, *events: tuple[str, str, Any]) -> None:
        self.publish_bytes(json.dumps(events).encode())

    def publish_bytes(self, data: bytes) -> None:
        with Redis.from_url(self.redis.url) as redis:
            redis.publish(self.link.channel, data)

    def revoke(self, field: str, until: float | None = None) -> None:
        with Redis.from_url(self.redis.url) as redis:
            redis.hset(revocations_key(self.link), field, int(until or time.time()))

    @property
    def memory(self) -> int:
        """The bytes that the process has in memory."""
        return int(psutil.Process(self.service.pid).memory_info().rss)


def events_in(frames: list[str]) -> list[str]:
    """The names of the events among raw frames."""
    return [json.loads(frame[2:])[0] for frame in frames if frame.startswith("42")]
