"""The fake model: OpenAI-compatible streaming, cheap enough to share a core with the load.

The last question of a request holds the `Plan` of the stream. The text of every chunk carries the moment of its
sending. So the receiver can tell how long the chunk was under way.
"""

import asyncio
import re
import sys
import time
from typing import NamedTuple, cast

STAMP = re.compile(rb"\[(\d{10}\.\d{6})#(\d+)\]")
_PLAN = re.compile(rb"(\d+) chunks, first after (\d+) ms, then each (\d+) ms")
_CONTENT_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)

_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
_COMMON = (
    b'data: {"id":"chatcmpl-BenchmarkBenchmarkBenchmark01","object":"chat.completion.chunk",'
    b'"created":1760000000,"model":"bench","service_tier":"default","system_fingerprint":"fp_0123456789",'
)
_TEXT = _COMMON + (
    b'"choices":[{"index":0,"delta":{"content":"[%.6f#%d] word "},"logprobs":null,"finish_reason":null}],'
    b'"usage":null,"obfuscation":"0123456789abcd"}\n\n'
)
_STOP = _COMMON + (b'"choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}],"usage":null}\n\n')
_USAGE = _COMMON + (b'"choices":[],"usage":{"prompt_tokens":100,"completion_tokens":100,"total_tokens":200}}\n\n')
_DONE = b"data: [DONE]\n\n"


class Plan(NamedTuple):
    """The plan of one reply, with times in milliseconds. Its text is the question that asks for that reply."""

    chunks: int
    first: int = 0
    every: int = 0

    def __str__(self) -> str:
        return f"{self.chunks} chunks, first after {self.first} ms, then each {self.every} ms"

    @property
    def seconds(self) -> float:
        return (self.first + (self.chunks - 1) * self.every) / 1000


class Connection(asyncio.Protocol):
    """One kept-alive connection. It takes one request at a time, as the sync SDK sends them."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport, self.buffer = cast(asyncio.Transport, transport), b""
        self.loop = asyncio.get_running_loop()

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head, blank, body = self.buffer.partition(b"\r\n\r\n")
        length = _CONTENT_LENGTH.search(head)
        if head.startswith(b"GET "):
            self.transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            self.buffer = b""
        elif blank and length and len(body) >= int(length[1]):
            self.buffer = b""
            self._answer(body)

    def _answer(self, body: bytes) -> None:
        self.plan = Plan(*map(int, _PLAN.findall(body)[-1]))
        self.ending = [_STOP, _USAGE, _DONE] if b'"include_usage"' in body else [_STOP, _DONE]
        self.transport.write(_HEAD)
        self.started = self.loop.time()
        self._at(0)

    def _at(self, index: int) -> None:
        due = self.started + (self.plan.first + index * self.plan.every) / 1000
        self.loop.call_at(due, self._send, index)

    def _send(self, index: int) -> None:
        """Send one chunk, or all remaining ones if they are due at once."""
        if self.transport.is_closing():
            return
        upto = index + 1 if self.plan.every else self.plan.chunks
        events = [_TEXT % (time.time(), number) for number in range(index, upto)]
        if upto == self.plan.chunks:
            self.transport.write(_framed(events + self.ending) + b"0\r\n\r\n")
        else:
            self.transport.write(_framed(events))
            self._at(upto)


def _framed(events: list[bytes]) -> bytes:
    return b"".join(b"%x\r\n%b\r\n" % (len(event), event) for event in events)


async def serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Connection, "127.0.0.1", port, backlog=1024)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
