"""The fake model's answers, with the faults that the script asks for."""

import asyncio
import itertools
import time
from email.utils import formatdate
from http import HTTPStatus

from tests.fake_request import Request
from tests.fake_script import Script, sign
from tests.fake_wire import Reply, choice


async def answer(script: Script, reply: Reply, gate: asyncio.Event | None) -> None:
    """The streamed answer, or what the script has in its place."""
    if await _went_wrong_at_once(script, reply):
        return
    await reply.start_stream()
    if script.keepalive_only:
        await _keep_alive(reply)
    await asyncio.sleep(script.first / 1000)
    await reply.chunk(choice({"role": "assistant", "content": ""}))
    for piece in itertools.chain(script.pieces(reply.request.question), [None]):
        if await _went_wrong_now(script, reply):
            return
        if piece is not None:
            await asyncio.sleep(script.every / 1000 if reply.request.sent else 0)
            await reply.text(_said(script, piece, reply.request.number), halved=script.split_utf8)
            if gate and reply.request.sent == 1:
                await gate.wait()
    await _end(script, reply)


def _said(script: Script, piece: str, number: int) -> str:
    piece = f"{time.time():.6f} " if script.stamp else piece
    return sign(piece, number) if script.signed else piece


async def answer_whole(script: Script, reply: Reply) -> None:
    """The answer in one piece, for a client that doesn't stream."""
    if await _went_wrong_at_once(script, reply):
        return
    pieces = list(script.pieces(reply.request.question))
    reply.request.sent = len(pieces)
    await reply.whole(HTTPStatus.OK, reply.completion("".join(pieces), script.finish, _usage(reply.request)))


async def answer_error(reply: Reply, status: int, code: str, detail: str, **headers: str) -> None:
    error = {"message": detail, "type": code, "param": None, "code": code}
    await reply.whole(status, {"error": error}, **headers)


async def _went_wrong_at_once(script: Script, reply: Reply) -> bool:
    if script.status:
        code = "insufficient_quota" if script.quota else _CODES.get(script.status, "server_error")
        await answer_error(reply, script.status, code, "Scripted.", **_pause(script))
    elif script.context_length:
        await reply.whole(HTTPStatus.BAD_REQUEST, _TOO_LONG[script.like])
    elif script.html:
        await reply.whole(HTTPStatus.OK, "<!doctype html><title>Gateway</title><p>Please sign in.</p>")
    elif script.refuse:
        reply.close()
    elif script.hang:
        await asyncio.Event().wait()
    return bool(script.status or script.context_length or script.html or script.refuse)


def _pause(script: Script) -> dict[str, str]:
    if script.retry_date is not None:
        return {"retry-after": formatdate(time.time() + script.retry_date, usegmt=True)}
    return {"retry-after": script.retry_after} if script.retry_after else {}


_CODES = {
    400: "invalid_request_error",
    401: "invalid_api_key",
    402: "insufficient_quota",
    429: "rate_limit_exceeded",
}
# The answers of several servers to a conversation that is too long, each in the server's own shape.
_TOO_LONG: dict[str, dict[str, object]] = {
    "openai": {
        "error": {
            "message": "Too long.",
            "type": "invalid_request_error",
            "param": "messages",
            "code": "context_length_exceeded",
        }
    },
    "vllm": {
        "object": "error",
        "message": "This model's maximum context length is 8192 tokens. However, you requested 9000 tokens.",
        "type": "BadRequestError",
        "param": None,
        "code": 400,
    },
    "llama": {
        "error": {
            "code": 400,
            "message": "request (4390 tokens) exceeds the available context size (4096 tokens), try increasing it",
            "type": "exceed_context_size_error",
        }
    },
    "anthropic": {
        "error": {"type": "invalid_request_error", "message": "prompt is too long: 210000 tokens > 200000 maximum"}
    },
}


async def _went_wrong_now(script: Script, reply: Reply) -> bool:
    sent = reply.request.sent
    if sent == script.hang_after:
        await asyncio.Event().wait()
    elif sent == script.reset_after:
        reply.reset()
    elif sent == script.cut_after:
        reply.cut = True
        await reply.end_stream()
    elif sent == script.bad_json_after:
        await reply.event('{"id": "chatcmpl-fake", "choices": [{"delta": {"content": "half a')
        await reply.end_stream()
    elif sent == script.error_after:
        await reply.event('{"error": {"message": "Scripted.", "type": "server_error", "code": null}}')
        await reply.end_stream()
    return sent in (script.reset_after, script.cut_after, script.bad_json_after, script.error_after)


async def _keep_alive(reply: Reply) -> None:
    while True:
        await reply.comment("keep-alive")
        await asyncio.sleep(0.05)


async def _end(script: Script, reply: Reply) -> None:
    if script.no_choices:
        await reply.chunk()
        await reply.event('{"id": "chatcmpl-fake", "object": "chat.completion.chunk"}')
    else:
        if script.finish == "tool_calls":
            await reply.chunk(choice({"tool_calls": [_TOOL_CALL]}))
        if script.reasoning:
            await reply.chunk(choice({"content": None, "reasoning_content": "Hm."}))
        await reply.chunk(choice({}, finish=None if script.no_finish else script.finish))
    if (reply.request.body.get("stream_options") or {}).get("include_usage"):
        await reply.chunk(usage=_usage(reply.request))
    await reply.event("[DONE]")
    await reply.end_stream()


_FUNCTION = {"name": "search", "arguments": "{}"}
_TOOL_CALL = {"index": 0, "id": "call_1", "type": "function", "function": _FUNCTION}


def _usage(request: Request) -> dict[str, int]:
    """Each word of the prompt is a token, and each piece of the answer is one."""
    words = sum(len(str(message.get("content")).split()) for message in request.body.get("messages", []))
    return {"prompt_tokens": words, "completion_tokens": request.sent, "total_tokens": words + request.sent}
