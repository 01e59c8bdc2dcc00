"""A worker keeps a reply's lease while the reply waits for a process of its own."""

import threading
from typing import Any

import pytest
from flask import Flask

from shared.models import ChatSession
from shared.settings import Settings
from tests.eventually import eventually, joined
from tests.factories import a_claim, a_post, on_sqlite_only, the_message
from workers.alone.writer import AloneWriter
from workers.reply import Desk
from workers.run import Run
from workers.watchdog import Drained


@on_sqlite_only
@pytest.mark.settings(lease_seconds=1.5)
def test_its_lease_is_kept_while_it_waits_for_a_process(
    core: Flask, chat: ChatSession, settings: Settings, desk: Desk
) -> None:
    # Given a reply without a process, because other replies use all that are allowed
    claim = a_claim(a_post(chat))
    leased = the_message(claim.id).lease_until
    writer = AloneWriter(settings, desk.watchdog)
    writer._free = threading.BoundedSemaphore(1)
    writer._free.acquire()
    run, ended = Run(claim), list[Exception]()

    def write() -> None:
        try:
            writer.write(run)
        except Drained as error:
            ended.append(error)

    waiting = threading.Thread(target=write)
    waiting.start()
    # Then the worker renews the reply's lease until the reply is cut
    try:
        eventually(lambda: the_message(claim.id).lease_until > leased + 300, within=5)
    finally:
        run.cut_short(Drained())
        joined(waiting, within=5)
    assert len(ended) == 1
    assert desk.watchdog._runs == set[Any]()
