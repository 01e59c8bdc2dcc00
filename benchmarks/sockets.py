"""`python -m benchmarks.sockets`: the cost of 5,000 idle sockets, for one `realtime` process and for the API.

README.md says more. The sockets speak the protocol by hand, so that the load does not measure a library of its own.
"""

import asyncio
import base64
import json
import os
import resource
import statistics
import sys
import time

import requests

from api.access import tokens
from benchmarks.lab.systems import Holdfast, run_folder

SOCKETS = 5_000
AT_ONCE = 64  # handshakes under way at a time
REQUESTS = 300
FILES = SOCKETS + 500
_HELLO = (
    "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: bench\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {}\r\n\r\n"
)

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


def main() -> int:
    """Print a table. It asserts nothing."""
    raise_file_limit()
    with run_folder() as folder:
        system = Holdfast(folder / "ours", "http://127.0.0.1:1")
        try:
            system.start()
            asyncio.run(measure(system))
        finally:
            system.processes.stop()
    return 0


def raise_file_limit() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < FILES:
        raise SystemExit(f"{FILES} open files are needed, {hard} are allowed: raise `ulimit -n`.")
    resource.setrlimit(resource.RLIMIT_NOFILE, (FILES, hard))


async def measure(system: Holdfast) -> None:
    person = sign_up(system.url)
    warm = [await connect(system, f"warm {number}") for number in range(100)]
    alone = await asyncio.to_thread(latency, system.url, person)
    before, began = realtime_memory(system), time.monotonic()
    arriving = asyncio.gather(*await arrivals(system))
    meanwhile = asyncio.to_thread(latency, system.url, person)
    crowd, while_arriving = await asyncio.gather(arriving, meanwhile)
    seconds = max(arrived for _, arrived in crowd) - began
    memory = (realtime_memory(system) - before) / SOCKETS
    beside = await asyncio.to_thread(latency, system.url, person)
    print("\n| figure | | target |\n|---|---|---|")
    print(f"| memory per idle socket, KB | {memory / 1000:.1f} | ≤ 70 |")
    print(f"| handshakes a second | {SOCKETS / seconds:.0f} | ≥ 600 |")
    for name, figures in (("no socket", alone), ("5,000 arriving", while_arriving), ("5,000 idle", beside)):
        print(f"| REST p50 / p99, ms, {name} | {figures[0]:.1f} / {figures[1]:.1f} | unchanged |")
    for _, writer in [*warm, *(connection for connection, _ in crowd)]:
        writer.transport.abort()


def sign_up(url: str) -> dict[str, str]:
    body = {"email": "bench@example.org", "password": "correct horse battery staple"}
    answer = requests.post(f"{url}/auth/sign-up", json=body, timeout=10).json()
    return {"Authorization": f"Bearer {answer['accessToken']}"}


async def arrivals(system: Holdfast) -> list[asyncio.Task[tuple[Connection, float]]]:
    turns = asyncio.Semaphore(AT_ONCE)

    async def arrive(number: int) -> tuple[Connection, float]:
        async with turns:
            return await connect(system, f"user {number}"), time.monotonic()

    return [asyncio.create_task(arrive(number)) for number in range(SOCKETS)]


async def connect(system: Holdfast, user: str) -> Connection:
    """Open a socket, and wait until the server has admitted it."""
    host, port = system.realtime_url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port), limit=4096)
    writer.write(_HELLO.format(base64.b64encode(os.urandom(16)).decode()).encode())
    await reader.readuntil(b"\r\n\r\n")
    token = tokens.issue(system.secret, tokens.ACCESS, user, 600)
    writer.write(frame(b"40" + json.dumps({"token": token}).encode()))
    await reader.readuntil(b'40{"sid"')
    return reader, writer


def frame(payload: bytes) -> bytes:
    """A client's text frame of up to 64 KB, with a mask of zeros."""
    size = bytes([0x80 | len(payload)]) if len(payload) < 126 else b"\xfe" + len(payload).to_bytes(2)
    return b"\x81" + size + bytes(4) + payload


def latency(url: str, person: dict[str, str]) -> tuple[float, float]:
    """The median and the 99th percentile of a hundred `GET /chats`, one after the other, in milliseconds."""
    taken = []
    with requests.Session() as http:
        for _ in range(REQUESTS):
            began = time.perf_counter()
            http.get(f"{url}/chats", headers=person, timeout=10).raise_for_status()
            taken.append((time.perf_counter() - began) * 1000)
    ordered = statistics.quantiles(taken, n=100)
    return ordered[49], ordered[98]


def realtime_memory(system: Holdfast) -> float:
    """The memory of `realtime`, in bytes."""
    return system.processes.pss()["realtime"] * 2**20


if __name__ == "__main__":
    sys.exit(main())
