"""Replies share a connection to the model. A server that refuses the connection or its TLS fails the reply."""

import socket
import socketserver
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask

from shared.models import ChatSession
from shared.redis import live_text
from shared.settings import Settings
from tests.eventually import eventually, patience
from tests.factories import a_post, meanwhile, on_sqlite_only, the_message
from tests.fake_model import FakeModel
from tests.integration.workers.asking import ask, run_again, written
from workers.providers.openai_client import OpenAIProvider
from workers.reply import Desk, write_reply


@on_sqlite_only
def test_replies_one_after_another_share_a_connection(chat: ChatSession, desk: Desk, fake_model: FakeModel) -> None:
    for _ in range(3):
        written(chat, desk)
    assert len({request.client_port for request in fake_model.requests}) == 1


@on_sqlite_only
def test_a_text_refused_at_the_very_end_leaves_the_next_replys_connection_alone(
    core: Flask, chat: ChatSession, desk: Desk, fake_model: FakeModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a trip to Redis that arrives after its reply has ended
    ended, was_refused, append = threading.Event(), threading.Event(), live_text.append

    def late(*args: Any) -> Any:
        ended.wait(patience(10))
        answers = append(*args)
        if answers == [-1]:
            was_refused.set()
        return answers

    monkeypatch.setattr(live_text, "append", late)
    written(chat, desk, "First")
    # When Redis refuses the trip while the next reply uses the same connection
    second = a_post(chat, "Second fake:chunks=3,gate=door")
    with meanwhile(core, lambda: write_reply(second.reply.id, desk)):
        eventually(lambda: len(fake_model.requests) == 2 and fake_model.requests[1].sent)
        ended.set()
        assert was_refused.wait(patience(10))
        eventually(lambda: desk.relay._ready.is_set() is False)
        fake_model.open_gate("door")
    # Then the next reply goes on
    assert len({request.client_port for request in fake_model.requests}) == 1
    assert the_message(second.reply.id).status == "completed"
    eventually(lambda: fake_model.requests[1].ending == "finished")


class NoTls(socketserver.BaseRequestHandler):
    """Answers a client's TLS with plain HTTP."""

    def handle(self) -> None:
        self.request.recv(1024)
        self.request.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")


@pytest.fixture
def no_tls() -> Iterator[str]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), NoTls) as server:
        threading.Thread(target=server.serve_forever, args=[0.05]).start()
        yield f"https://127.0.0.1:{server.server_address[1]}/v1"
        server.shutdown()


@pytest.fixture
def nobody() -> str:
    with socket.create_server(("127.0.0.1", 0)) as closed_now:
        return f"http://127.0.0.1:{closed_now.getsockname()[1]}/v1"


@on_sqlite_only
@pytest.mark.parametrize("where", ["nobody", "no_tls"])
def test_a_server_that_refuses_the_connection_or_its_tls(
    where: str, request: pytest.FixtureRequest, chat: ChatSession, desk: Desk, settings: Settings
) -> None:
    provider = OpenAIProvider(replace(settings, openai_base_url=request.getfixturevalue(where)))
    posted = ask(chat, replace(desk, provider=provider), "chunks=1")
    assert the_message(posted.reply.id).failures == 1
    row = run_again(posted, replace(desk, provider=provider))
    assert (row.status, row.error_code) == ("failed", "model_unavailable")
    provider._client.close()
