"""A reply is stopped, replaced or deleted. The model sees its connection close within 2 s, at any point."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask

from shared.errors.replies import ModelUnavailable
from shared.models import ChatSession
from shared.models.status import Status
from shared.settings import Settings
from tests.channel import Channel
from tests.eventually import at_most, eventually, joined, patience
from tests.factories import a_chat, a_post, change, meanwhile, on_sqlite_only, the_message
from tests.fake_model import FakeModel
from workers.context import build_context
from workers.providers import Prompt
from workers.providers.openai_client import OpenAIProvider
from workers.reply import Desk, write_reply
from workers.watchdog import Drained

# Seconds from the change of the row to the end of the connection, as the model sees it.
PROMPT = 2

BY: dict[str, dict[str, Any]] = {
    "a stop": {"status": Status.CANCELLED},
    "another attempt": {"attempt": 2},
}


@contextmanager
def being_written(core: Flask, desk: Desk, chat: ChatSession, script: str) -> Iterator[Any]:
    """A reply that waits for the model. At the end its row is set back, so that the money adds up."""
    posted = a_post(chat, f"Hello fake:{script}")
    with meanwhile(core, lambda: write_reply(posted.reply.id, desk)):
        yield posted.reply
    change(posted.reply.id, status=Status.PENDING, attempt=1)


@pytest.mark.parametrize("by", BY)
@pytest.mark.parametrize("script", ["hang", "keepalive_only", "chunks=3,gate=door"])
def test_the_models_connection_is_closed(
    script: str, by: str, core: Flask, chat: ChatSession, desk: Desk, fake_model: FakeModel, channel: Channel
) -> None:
    with being_written(core, desk, chat, script) as reply:
        request = eventually(lambda: fake_model.requests and fake_model.requests[0])
        change(reply.id, **BY[by])
        eventually(lambda: request.ending == "client closed", within=PROMPT)
        channel.forget()
    assert channel.heard() == []


@on_sqlite_only
def test_on_a_connection_that_was_used_before_too(
    core: Flask, chat: ChatSession, desk: Desk, fake_model: FakeModel
) -> None:
    write_reply(a_post(chat).reply.id, desk)
    with being_written(core, desk, chat, "hang") as reply:
        _, request = eventually(lambda: len(fake_model.requests) == 2 and fake_model.requests)
        change(reply.id, status=Status.CANCELLED)
        eventually(lambda: request.ending == "client closed", within=PROMPT)
    first, second = fake_model.requests
    assert first.client_port == second.client_port


@on_sqlite_only
def test_the_others_go_on(core: Flask, chat: ChatSession, desk: Desk, fake_model: FakeModel) -> None:
    other = a_post(a_chat(), "Other fake:chunks=3,gate=door")
    with meanwhile(core, lambda: write_reply(other.reply.id, desk)):
        with being_written(core, desk, chat, "hang") as reply:
            eventually(lambda: len(fake_model.requests) == 2)
            change(reply.id, status=Status.CANCELLED)
        fake_model.open_gate("door")
    assert the_message(other.reply.id).status == "completed"


@on_sqlite_only
def test_a_reply_cut_before_it_asks_asks_nothing(
    core: Flask, chat: ChatSession, desk: Desk, fake_model: FakeModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def drained_meanwhile(claim: Any) -> Prompt:
        for run in list(desk.watchdog._runs):
            run.cut_short(Drained())
        return build_context(claim)

    monkeypatch.setattr("workers.reply.build_context", drained_meanwhile)
    posted = a_post(chat)
    write_reply(posted.reply.id, desk)
    assert (the_message(posted.reply.id).status, fake_model.requests) == ("pending", [])


@on_sqlite_only
def test_a_handshake_that_hangs_is_ended_too(settings: Settings) -> None:
    # Given a server that accepts a connection and never begins TLS
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"https://127.0.0.1:{server.getsockname()[1]}/v1"
        provider = OpenAIProvider(replace(settings, openai_base_url=url))
        aborts: list[Callable[[], None]] = []

        def ask() -> None:
            with suppress(ModelUnavailable), provider.ask(Prompt("fake", []), aborts.append, lambda: None):
                pass

        asking = threading.Thread(target=ask)
        asking.start()
        connection, _ = server.accept()
        with connection:
            # When the reply is cut
            eventually(lambda: aborts)[-1]()
            # Then the server sees the end of the connection, and the thread is free
            connection.settimeout(patience(PROMPT))
            with at_most(PROMPT):
                while connection.recv(4096):
                    pass
            joined(asking, within=PROMPT)
    provider._client.close()
