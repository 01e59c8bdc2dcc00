"""One answer of the fake model on the wire: whole, streamed piece by piece, closed or reset."""

import asyncio
import json
import socket
import struct
import time
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from tests.fake_request import Request


class Reply:
    """One HTTP answer on the wire. `cut` says that the fake model broke it off, as scripted."""

    request: Request
    cut = False

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer

    async def whole(self, status: int, content: Any, **headers: str) -> None:
        body = content.encode() if isinstance(content, str) else json.dumps(content).encode()
        kind = "text/html" if isinstance(content, str) else "application/json"
        self._head(status, {"content-type": kind, "content-length": str(len(body)), **headers})
        await self._send(body)

    async def start_stream(self) -> None:
        self._head(HTTPStatus.OK, {"content-type": "text/event-stream", "transfer-encoding": "chunked"})
        await self._send(b"")

    async def chunk(self, *choices: dict[str, Any], **extra: Any) -> None:
        await self.event(json.dumps(self._body("chat.completion.chunk", choices, **extra)))

    async def text(self, piece: str, halved: bool = False) -> None:
        """Send one piece of text. Halved, its bytes arrive in two parts, cut inside the first wide character."""
        self.request.sent += 1
        body = self._body("chat.completion.chunk", [choice({"content": piece})])
        line = f"data: {json.dumps(body, ensure_ascii=not halved)}\n\n".encode()
        middle = next((at for at, byte in enumerate(line) if byte >= 0xC0), -1) + 1
        if middle:
            await self._frame(line[:middle])
            await asyncio.sleep(0.01)
        await self._frame(line[middle:])

    async def event(self, data: str) -> None:
        await self._frame(f"data: {data}\n\n".encode())

    async def comment(self, text: str) -> None:
        await self._frame(f": {text}\n\n".encode())

    async def end_stream(self) -> None:
        await self._send(b"0\r\n\r\n")

    def close(self) -> None:
        self.cut = True
        self._writer.close()

    def reset(self) -> None:
        self.cut = True
        linger = struct.pack("ii", 1, 0)  # on, 0 s: the kernel sends RST instead of FIN
        self._writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self._writer.transport.abort()

    def completion(self, content: str | None, finish: str, usage: dict[str, int]) -> dict[str, Any]:
        choice = {"index": 0, "message": {"role": "assistant", "content": content}, "finish_reason": finish}
        return self._body("chat.completion", [choice], usage=usage)

    def _body(self, kind: str, choices: Iterable[dict[str, Any]], **extra: Any) -> dict[str, Any]:
        created = {"created": int(time.time()), "model": self.request.body["model"]}
        return {"id": "chatcmpl-fake", "object": kind, **created, "choices": list(choices), **extra}

    def _head(self, status: int, headers: dict[str, str]) -> None:
        lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", *(f"{k}: {v}" for k, v in headers.items())]
        self._writer.write("\r\n".join([*lines, "", ""]).encode())

    async def _frame(self, data: bytes) -> None:
        await self._send(b"%x\r\n%b\r\n" % (len(data), data))

    async def _send(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()


def choice(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
    """The one choice of a chunk."""
    return {"index": 0, "delta": delta, "finish_reason": finish}
