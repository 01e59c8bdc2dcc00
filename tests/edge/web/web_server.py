"""The program `web` alone, with a database and a Redis, for clients that mean no good."""

import contextlib
import json
import socket
from pathlib import Path
from typing import Any, Self

import httpx2
import psutil

from shared.command.up import read_procfile
from shared.network.addresses import in_url, local
from tests.environment import environment
from tests.eventually import eventually, patience
from tests.services.guard import Guard
from tests.services.programs import ROOT, bare_environment, free_port
from tests.services.redis import RedisServer
from tests.services.service import Service

_LARGE = "x" * 100_000


class WebServer:
    """Ready when entered. `settings` extend its environment; `module` starts a patched one."""

    def __init__(
        self, guard: Guard, database_url: str, redis: RedisServer, name: str, *, module: str = "", **settings: str
    ) -> None:
        self.port, self.host = free_port(), local(settings.get("HOLDFAST_HOST", "127.0.0.1"))
        self.url = f"http://{in_url(self.host)}:{self.port}"
        self.database_url, self.folder = settings.get("DATABASE_URL", database_url), Path(guard.folder)
        values = environment(database_url, redis.url, self.folder, "http://127.0.0.1:1")
        whole = {**bare_environment(), **values, "PORT": str(self.port), **settings}
        command = f"python -m {module}" if module else read_procfile(ROOT / "Procfile")["web"]
        self.service = Service(guard, name, command, environment=whole)

    def __enter__(self) -> Self:
        self.start_again()
        return self

    def start_again(self) -> None:
        self.service.start()
        eventually(lambda: self.service.must_live() and self.healthy, within=30)

    def __exit__(self, *_: object) -> None:
        self.service.stop()

    @property
    def healthy(self) -> bool:
        with contextlib.suppress(httpx2.TransportError):
            return httpx2.get(f"{self.url}/healthz", timeout=patience(5)).status_code == 200
        return False

    @property
    def memory(self) -> int:
        """The bytes that the process has in memory."""
        return int(psutil.Process(self.service.pid).memory_info().rss)

    def holds(self, client: socket.socket) -> bool:
        """Whether the server still has its side of this connection."""
        return self.holds_port(client.getsockname()[1])

    def holds_port(self, port: int) -> bool:
        """Whether the server still has a connection of the client with this port."""
        return any(its.raddr and its.raddr.port == port for its in psutil.Process(self.service.pid).net_connections())

    def connect(self, sent: bytes = b"", *, room: int = 0) -> socket.socket:
        """A connection that has sent these bytes. `room` bounds the bytes that wait for a client that does not read."""
        client = socket.socket(socket.AF_INET6 if ":" in self.host else socket.AF_INET)
        if room:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
        client.settimeout(patience(10))
        client.connect((self.host, self.port))
        client.sendall(sent)
        return client

    def asked(self, *parts: bytes) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body of the answer to these bytes. The server must close the connection after it."""
        with self.connect() as client:
            for part in parts:
                client.sendall(part)
            return answer_on(client)

    def sign_up(self, email: str) -> str:
        """The access token of a new user."""
        body = {"email": email, "password": "correct horse battery"}
        answer = httpx2.post(f"{self.url}/auth/sign-up", json=body, timeout=patience(5))
        return str(answer.json()["accessToken"])

    def large_page(self, token: str, messages: int = 20) -> bytes:
        """A request whose answer is megabytes long."""
        bearer = {"Authorization": f"Bearer {token}"}
        with httpx2.Client(base_url=self.url, headers=bearer, timeout=patience(10)) as http:
            chat = http.post("/chats", json={}).json()["id"]
            for _ in range(messages):
                assert http.post(f"/chats/{chat}/messages", json={"content": _LARGE}).status_code == 202
        return request(f"/chats/{chat}/messages?limit={messages}", token)


def request(path: str, token: str = "", *lines: str, method: str = "GET") -> bytes:
    """The head of a request."""
    bearer = [f"Authorization: Bearer {token}"] if token else []
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: web", *bearer, *lines, "\r\n"]).encode("latin-1")


def answer_on(client: socket.socket) -> tuple[int, dict[str, str], bytes]:
    """Read to the end of the connection. A connection that broke off before an answer has the status 0."""
    head, _, body = read_all(client).partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    return int(first.split()[1]) if first else 0, headers, body


def read_all(client: socket.socket) -> bytes:
    """All that comes until the server closes the connection, in whichever way."""
    data = b""
    with contextlib.suppress(ConnectionError):
        while part := client.recv(1 << 16):
            data += part
    return data


def code_of(body: bytes) -> Any:
    return json.loads(body)["code"]
