"""A worker process notes that it lives, again and again, and takes its row away when it ends."""

import logging

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

import workers.presence
from shared.database.units import query
from shared.models.worker import workers as rows
from tests.eventually import eventually
from workers.presence import Presence


def seen_at() -> list[int]:
    return [row.seen_at for row in query(select(rows.c.seen_at))]


def test_a_process_is_noted_until_it_leaves(core: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers.presence, "_EVERY", 0.02)
    presence = Presence(core)
    presence.start()
    eventually(seen_at)
    (first,) = seen_at()
    eventually(lambda: seen_at() > [first])
    assert len(seen_at()) == 1
    presence.leave()
    presence.wait()
    eventually(lambda: seen_at() == [])


def test_a_database_that_is_away_ends_nothing(
    core: Flask, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    tries: list[str] = []

    def away(worker_id: str) -> None:
        tries.append(worker_id)
        raise OperationalError("", {}, Exception())

    monkeypatch.setattr(workers.presence, "_EVERY", 0.01)
    monkeypatch.setattr(workers.presence, "note_worker", away)
    presence = Presence(core)
    with caplog.at_level(logging.WARNING):
        presence.start()
        eventually(lambda: len(tries) > 2)
        presence.leave()
        presence.wait()
    assert "presence.not_noted" in caplog.text
