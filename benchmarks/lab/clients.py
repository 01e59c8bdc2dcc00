"""One conversation with either system. Its reader notes the time at which each chunk of a reply arrives."""

import asyncio
import json
import re
import time
import uuid
from dataclasses import dataclass, field
from typing import Any, Protocol

import aiohttp

from benchmarks.lab.model import STAMP, Plan

PATIENCE = 20.0  # seconds beyond the plan of a reply after which it counts as lost
_FINAL = re.compile(rb'42\["message\.(completed|failed|cancelled)"')


@dataclass
class Reply:
    """One reply. Moments are seconds since the epoch. `lags` has the time from the model to here, by chunk number."""

    plan: Plan
    posted: float = field(default_factory=time.time)
    accepted: float = 0.0
    first_text: float = 0.0
    lags: dict[int, float] = field(default_factory=dict)
    problem: str = ""

    def arrived(self, data: bytes) -> None:
        """Note each new chunk of this reply in `data`, which may hold several chunks, or repeat some."""
        now = time.time()
        for sent, number in STAMP.findall(data):
            if float(sent) >= self.posted and int(number) not in self.lags:
                self.lags[int(number)] = now - float(sent)
                self.first_text = self.first_text or now


class Conversation(Protocol):
    async def open(self) -> None:
        """Make a user with a chat."""

    async def ask(self, reply: Reply) -> str:
        """Post the question, and read to the end of the reply. Returns the problem, if there was one."""


async def ask(conversation: Conversation, plan: Plan) -> Reply:
    reply = Reply(plan)
    try:
        async with asyncio.timeout(plan.seconds + PATIENCE):
            reply.problem = await conversation.ask(reply)
    except (TimeoutError, aiohttp.ClientError) as error:
        reply.problem = repr(error)
    if not reply.problem and len(reply.lags) != plan.chunks:
        reply.problem = f"{len(reply.lags)} of {plan.chunks} chunks"
    return reply


class DirectConversation:
    def __init__(self, http: aiohttp.ClientSession, url: str) -> None:
        self._http, self._url = http, url

    async def open(self) -> None:
        chat = await _post(self._http, f"{self._url}/chats", {"title": "Benchmark"})
        self._messages = f"{self._url}/chats/{chat['id']}/messages"

    async def ask(self, reply: Reply) -> str:
        line = b""
        async with self._http.post(self._messages, json={"content": str(reply.plan)}) as answer:
            reply.accepted = time.time()
            async for line in filled(answer.content):
                reply.arrived(line)
        return "" if b'"completed"' in line else f"{answer.status}, then {line!r}"


class OurConversation:
    """One user with one chat and one socket. The Socket.IO client is lean, so that the load's core has room."""

    def __init__(self, http: aiohttp.ClientSession, url: str, realtime_url: str) -> None:
        self._http, self._url, self._realtime_url = http, url, realtime_url
        self._reply: Reply | None = None
        self._finals: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def open(self) -> None:
        who = {"email": f"{uuid.uuid4()}@example.com", "password": "correct horse battery"}
        session = await _post(self._http, f"{self._url}/auth/sign-up", who)
        self._bearer = {"Authorization": f"Bearer {session['accessToken']}"}
        chat = await _post(self._http, f"{self._url}/chats", {}, self._bearer)
        self._messages = f"{self._url}/chats/{chat['id']}/messages"
        await self._connect(session["accessToken"])

    async def _connect(self, token: str) -> None:
        address = f"{self._realtime_url}/socket.io/?EIO=4&transport=websocket"
        self._socket = await self._http.ws_connect(address, decode_text=False)
        await self._socket.receive()
        await self._socket.send_str("40" + json.dumps({"token": token}))
        answer = await self._socket.receive()
        if not answer.data.startswith(b"40"):
            raise SystemExit(f"the socket was refused: {answer.data!r}")
        self._listener = asyncio.create_task(self._listen())

    async def _listen(self) -> None:
        async for frame in self._socket:
            if frame.data == b"2":
                await self._socket.send_str("3")
            elif self._reply:
                self._reply.arrived(frame.data)
                if _FINAL.match(frame.data):
                    self._finals.put_nowait(json.loads(frame.data[2:])[1])

    async def ask(self, reply: Reply) -> str:
        self._reply = reply
        headers = self._bearer | {"Idempotency-Key": str(uuid.uuid4())}
        accepted = await _post(self._http, self._messages, {"content": str(reply.plan)}, headers)
        reply.accepted = time.time()
        while (final := await self._finals.get())["id"] != accepted["reply"]["id"]:
            pass
        return "" if final["status"] == "completed" else json.dumps(final["error"])


async def _post(
    http: aiohttp.ClientSession, url: str, body: dict[str, str], headers: dict[str, str] | None = None
) -> Any:
    async with http.post(url, json=body, headers=headers) as answer:
        if not answer.ok:
            raise aiohttp.ClientError(f"{answer.status} from {url}: {await answer.text()}")
        return await answer.json()


async def filled(lines: aiohttp.StreamReader) -> Any:
    async for line in lines:
        if line.strip():
            yield line
