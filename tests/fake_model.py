"""An OpenAI-compatible chat completions server: in process, or `python -m tests.fake_model --port 0`.

The model's name scripts the answer: tests/fake_script.py. The server logs every request and its ending.
"""

import argparse
import asyncio
import json
import signal
import threading
import time
from collections import Counter
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import asdict
from http import HTTPStatus
from typing import Any, Self

from tests.eventually import patience
from tests.fake_answers import Reply, answer, answer_error, answer_whole
from tests.fake_request import Request
from tests.fake_script import Script


class FakeModel:
    """The server, on a thread of its own while `with FakeModel() as model:` lasts."""

    def __init__(self, port: int = 0) -> None:
        self.port = port
        self.requests: list[Request] = []
        self._asked: Counter[tuple[str, str]] = Counter()
        self._gates: dict[str, asyncio.Event] = {}
        self._calls: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._server: asyncio.Server | None = None
        self._thread = threading.Thread(target=self._loop.run_forever, name="fake-model", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._run(self._listen())
        return self

    def __exit__(self, *_: object) -> None:
        self._run(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def asked(self, text: str) -> list[Request]:
        """The requests whose question contains this text, oldest first."""
        return [request for request in self.requests if text in request.question]

    def forget(self) -> None:
        """Clear the log, close the gates, and count from 1 again. Else one test's requests would disturb the next."""
        for kept in (self.requests, self._gates, self._asked):
            kept.clear()

    def open_gate(self, name: str) -> None:
        """Let streams go on at `gate=name`: those that wait there now, and those that come later."""
        self._loop.call_soon_threadsafe(self._gate(name).set)

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=patience(10))

    def _gate(self, name: str) -> asyncio.Event:
        return self._gates.setdefault(name, asyncio.Event())

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, backlog=1024)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _close(self) -> None:
        assert self._server
        self._server.close()
        for call in self._calls:
            call.cancel()
        await asyncio.gather(*self._calls, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection, and keep it alive for as many requests as the client likes."""
        call = asyncio.current_task()
        assert call
        self._calls.add(call)
        call.add_done_callback(self._calls.discard)
        early: bytes | None = b""
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                while early is not None and not writer.is_closing():
                    early = await self._exchange(early, reader, writer)
        finally:
            writer.close()

    async def _exchange(self, early: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes | None:
        """Answer one request. Returns the next request's first byte if that came early, None if the client is gone."""
        head = (early + await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, path = head[0].split(" ")[:2]
        fields = (line.partition(":") for line in head[1:])
        headers = {name.lower(): value.strip() for name, _, value in fields}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        reply = Reply(writer)
        if (method, path) == ("POST", "/v1/chat/completions"):
            await _endings_first()
            request = Request("", json.loads(body), headers, writer.get_extra_info("peername")[1])
            return await self._complete(request, reply, reader)
        await self._manage(method, path, reply)
        return b""

    async def _complete(self, request: Request, reply: Reply, reader: asyncio.StreamReader) -> bytes | None:
        request.model = str(request.body["model"])
        reply.request = request
        self.requests.append(request)
        answering = asyncio.create_task(self._answer(request, reply))
        next_byte = asyncio.create_task(reader.read(1))
        try:
            await asyncio.wait({answering, next_byte}, return_when=asyncio.FIRST_COMPLETED)
            if not answering.done() and not _came(next_byte):
                answering.cancel()
            await asyncio.wait({answering})
            request.ending = _ending(answering, reply)
            request.closed_at = time.time()
            return (_came(next_byte) or None) if next_byte.done() else b""
        finally:
            answering.cancel()
            next_byte.cancel()
            await asyncio.wait({answering, next_byte})

    async def _answer(self, request: Request, reply: Reply) -> None:
        try:
            script = Script.parse(request.model, request.question)
        except ValueError as error:
            return await answer_error(reply, 400, "unknown_script", str(error))
        asked = (request.model, request.question)
        self._asked[asked] += 1
        request.number = self._asked[asked]
        if self._asked[asked] > script.times:
            script = script.without_fault()
        gate = self._gate(script.gate) if script.gate else None
        if request.body.get("stream"):
            return await answer(script, reply, gate)
        return await answer_whole(script, reply)

    async def _manage(self, method: str, path: str, reply: Reply) -> None:
        if (method, path) == ("GET", "/log"):
            await reply.whole(HTTPStatus.OK, [asdict(request) for request in self.requests])
        elif method == "POST" and path.startswith("/gates/"):
            self._gate(path.removeprefix("/gates/")).set()
            await reply.whole(HTTPStatus.OK, {"open": True})
        else:
            await answer_error(reply, HTTPStatus.NOT_FOUND, "not_found", f"{method} {path}")


async def _endings_first() -> None:
    """Let the ends that arrived before this request be noted before it, as they were on the network."""
    for _ in range(10):  # turns of the loop; an end takes six
        await asyncio.sleep(0)


def _came(next_byte: asyncio.Task[bytes]) -> bytes:
    """The byte that a client sent. No byte means that the client is gone, by a clean close or a reset."""
    failed = next_byte.cancelled() or next_byte.exception()
    return b"" if failed else next_byte.result()


def _ending(answering: asyncio.Task[None], reply: Reply) -> str:
    if answering.cancelled() or isinstance(answering.exception(), ConnectionError):
        return "client closed"
    answering.result()
    return "cut" if reply.cut else "finished"


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--port", type=int, default=0)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    with FakeModel(arguments.parse_args().port) as model:
        print(model.base_url, flush=True)
        signal.sigwait({signal.SIGINT, signal.SIGTERM})


if __name__ == "__main__":
    main()
