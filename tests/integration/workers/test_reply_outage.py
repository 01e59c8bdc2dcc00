"""The database goes away while a worker writes a reply. No tab hears a wrong event, and no text is lost."""

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.exc import OperationalError

import workers.outcome
import workers.reply
import workers.sweeper
import workers.watchdog
from shared.actions.replies.stop import stop_reply
from shared.core import current_link
from shared.models import ChatSession
from shared.redis import live_text
from tests.channel import Channel
from tests.eventually import eventually, joined, patience
from tests.factories import a_claim, a_post, change, clock, meanwhile, on_sqlite_only, past, the_message
from tests.fair_clock import CLOCK
from tests.fake_model import FakeModel
from tests.fake_script import canned_answer
from workers.reply import Desk, write_reply


class Outage:
    """Makes the functions behind it fail as long as it is on."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self._patch = patch
        self.on = threading.Event()
        self.on.set()
        self.felt = threading.Event()

    def before(self, module: Any, *names: str) -> None:
        for name in names:
            self._patch.setattr(module, name, self._guarded(getattr(module, name)))

    def _guarded(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any) -> Any:
            if self.on.is_set():
                self.felt.set()
                raise OperationalError("select 1", {}, Exception("the database is away"))
            return real(*args)

        return call


@pytest.fixture
def outage(monkeypatch: pytest.MonkeyPatch) -> Outage:
    return Outage(monkeypatch)


@pytest.mark.parametrize("where", ["build_context", "note_first_text", "complete_reply"])
def test_for_a_moment_it_costs_no_reply(
    where: str, core: Flask, chat: ChatSession, desk: Desk, fake_model: FakeModel, outage: Outage
) -> None:
    outage.before(workers.outcome if where == "complete_reply" else workers.reply, where)
    posted = a_post(chat)
    with meanwhile(core, lambda: write_reply(posted.reply.id, desk)):
        threading.Timer(1.5, outage.on.clear).start()  # half a lease
    row = the_message(posted.reply.id)
    assert (row.status, row.content, row.attempt) == ("completed", canned_answer("Hello"), 1)
    assert len(fake_model.requests) == 1


@on_sqlite_only
@pytest.mark.settings(lease_seconds=3.0, model="fake:chunks=300,every=20")
def test_a_reply_whose_lease_nears_its_end_is_silent_until_it_is_renewed(
    core: Flask, chat: ChatSession, desk: Desk, channel: Channel, outage: Outage, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a worker that cannot renew a lease
    outage.before(workers.watchdog, "renew_leases", "still_ours")
    posted = a_post(chat)
    with meanwhile(core, lambda: write_reply(posted.reply.id, desk)):
        eventually(lambda: channel.named("message.delta"))
        # When two thirds of the lease are over, the worker still reads, but sends no text
        (run,) = desk.watchdog._runs
        eventually(lambda: clock() > the_message(posted.reply.id).lease_until - 900)
        said, read = len(channel.named("message.delta")), run.size
        eventually(lambda: run.size > read + 30)
        assert len(channel.named("message.delta")) == said
        # Then a renewal lets the worker send again, and no text is missing
        outage.on.clear()
        eventually(lambda: len(channel.named("message.delta")) > said)
    row = the_message(posted.reply.id)
    assert (row.status, row.attempt) == ("completed", 1)
    deltas = [event.data for event in channel.named("message.delta")]
    assert [delta["index"] for delta in deltas] == list(range(len(deltas)))
    assert row.content.startswith("".join(delta["text"] for delta in deltas))


@on_sqlite_only
@pytest.mark.settings(lease_seconds=1.0, model="fake:chunks=3,gate=door")
def test_a_reply_whose_lease_is_over_is_cut(
    core: Flask, chat: ChatSession, desk: Desk, fake_model: FakeModel, outage: Outage
) -> None:
    outage.before(workers.watchdog, "renew_leases", "still_ours")
    posted = a_post(chat)
    write_reply(posted.reply.id, desk)
    row = the_message(posted.reply.id)
    assert (row.status, row.attempt, row.failures) == ("running", 1, 0)
    assert 0 < clock() - row.lease_until < 1_000
    eventually(lambda: fake_model.requests[0].ending == "client closed")


@on_sqlite_only
@pytest.mark.settings(lease_seconds=1.0, model="fake:chunks=10,every=1,gate=door")
def test_a_stop_keeps_what_the_owner_saw_of_a_reply_whose_lease_is_over(
    core: Flask, chat: ChatSession, desk: Desk, outage: Outage
) -> None:
    outage.before(workers.watchdog, "renew_leases", "still_ours")
    posted = a_post(chat)
    write_reply(posted.reply.id, desk)
    (seen,) = live_text.read(current_link(), [(posted.reply.id, 1)])
    assert seen
    assert stop_reply(chat.owner_id, chat.id, posted.reply.id).content == seen.text


@on_sqlite_only
@pytest.mark.settings(first_text_timeout=2.0, model="fake:keepalive_only")
def test_a_database_that_hangs_delays_no_deadline(
    core: Flask, chat: ChatSession, desk: Desk, fake_model: FakeModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = threading.Event()
    monkeypatch.setattr("workers.watchdog.still_ours", lambda claims: answers.wait(patience(10)))
    write_reply(a_post(chat).reply.id, desk)
    request = fake_model.requests[0]
    eventually(lambda: request.ending == "client closed", within=1)
    assert request.closed_at
    assert CLOCK.between(request.opened_at, request.closed_at) < 4
    answers.set()


@on_sqlite_only
@pytest.mark.settings(lease_seconds=3.0)
def test_after_it_no_reply_is_taken_from_a_worker_before_that_could_renew_its_lease(
    core: Flask, chat: ChatSession, outage: Outage
) -> None:
    # Given a lease that lapses while the database is away, also for the sweeper
    claim = a_claim(a_post(chat))
    change(claim.id, lease_until=past(1))
    outage.before(workers.sweeper, "rescue_lapsed", "expire_overdue")
    stopping = threading.Event()
    sweeper = threading.Thread(target=workers.sweeper.run, args=[core, 0.02, stopping])
    sweeper.start()
    try:
        assert outage.felt.wait(patience(10))
        # When the database is back
        back = time.monotonic()
        outage.on.clear()
        # Then the worker has a third of a lease to end its reply or to renew
        eventually(lambda: the_message(claim.id).status == "pending")
        assert time.monotonic() - back > 0.9
    finally:
        stopping.set()
        joined(sweeper)
