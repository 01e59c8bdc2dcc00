"""P7: SQLite has many writers (F18). A write is slow, or gets `503` after the busy time-out. No update is lost."""

import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from sqlalchemy import make_url, text

from tests.eventually import at_most, ended
from tests.faults.conftest import on_sqlite
from tests.faults.lab.checker.rules import Rules
from tests.faults.lab.people import Load
from tests.faults.lab.trial import Trial
from tests.services.sockets import RawSocket

# Seconds, less than the busy time-out of shared/database/units.py.
HELD = 2.0
MAY_REFUSE = Rules(statuses=frozenset({503}))
# Eight processes write as the product does. Each update adds one. The processes fork before they touch the database.
# SQLite's lock has no queue, so one of many writers may wait for the whole busy time-out of 5 s. It then tries again.
WRITERS = """
import os, sys, time
from sqlalchemy import update
from sqlalchemy.exc import OperationalError
from shared.core import create_core
from shared.database.units import execute, write_unit
from shared.models.chat import chat_sessions
from shared.settings import load_settings

mine = chat_sessions.c.id == sys.argv[1]

def write():
    with create_core(load_settings()).app_context():
        done = 0
        while done < 25:
            began = time.monotonic()
            try:
                with write_unit():
                    row = execute(chat_sessions.select().where(mine)).first()
                    execute(update(chat_sessions).where(mine).values(seen_seq=row.seen_seq + 1))
                done += 1
            except OperationalError:
                if time.monotonic() - began < 4:
                    raise

children = []
for _ in range(8):
    if not (child := os.fork()):
        write()
        os._exit(0)
    children.append(child)
sys.exit(any(os.waitpid(child, 0)[1] for child in children))
"""


def seen(trial: Trial, chat: str) -> int:
    with trial.deployment.engine.connect() as connection:
        query = text("SELECT seen_seq FROM chat_sessions WHERE id = :id")
        return int(connection.execute(query, {"id": chat.replace("-", "")}).scalar_one())


@contextmanager
def locked(trial: Trial) -> Iterator[None]:
    """Keep all other writers out while the block lasts."""
    file = make_url(trial.deployment.database_url).database
    assert file
    holder = sqlite3.connect(file, isolation_level=None)
    try:
        holder.execute("BEGIN IMMEDIATE")
        yield
        holder.execute("ROLLBACK")
    finally:
        holder.close()


@on_sqlite
def test_eight_writers_beside_streams_and_a_sweeper_lose_no_update(trial: Trial) -> None:
    people = [trial.person() for _ in range(3)]
    chat = trial.person().chats[0]  # its owner posts nothing, because a post moves the counter too
    before = seen(trial, chat)
    with Load(people, "chunks=10,every=20", pause=0.2):
        command = [sys.executable, "-c", WRITERS, chat]
        with subprocess.Popen(command, env=trial.programs.environment) as writers:
            assert ended(writers, within=40) == 0
    assert seen(trial, chat) == before + 8 * 25
    trial.check().must_be_clean()


@on_sqlite
def test_a_writer_that_holds_the_lock_for_six_seconds_costs_a_503_and_nothing_else(trial: Trial) -> None:
    person = trial.person()
    with ThreadPoolExecutor(1) as pool, locked(trial):
        held = time.monotonic()
        asking = pool.submit(person.ask, key="patient")
        # Then the socket server still lets people in at once, since it never waits for the database
        while time.monotonic() < held + 6 or not asking.done():
            with at_most(1), RawSocket(trial.programs.realtime_url) as socket:
                assert socket.authenticate({"token": person.token}).startswith("40")
            assert person.tab.connections == 1
            time.sleep(0.2)
    outcome = asking.result()
    assert (outcome.status, outcome.body["code"]) == (503, "database_unavailable")
    assert outcome.retry_after == "2"
    assert person.again(outcome).status == 202
    trial.check(rules=MAY_REFUSE).must_be_clean()


@on_sqlite
def test_a_writer_that_holds_the_lock_for_two_seconds_costs_time_and_nothing_else(trial: Trial) -> None:
    # Given a reply that goes on, one that is about to end, and then a writer that keeps the lock
    people = [trial.person() for _ in range(6)]
    going, ending = people[0].ask("chunks=100,every=40"), people[1].ask("chunks=3,gate=end")
    trial.wait_for_text(going, ending)
    with ThreadPoolExecutor(4) as pool, locked(trial):
        trial.model.open_gate("end")
        # When people post at different moments of this
        posting = []
        for person in people[2:]:
            posting.append(pool.submit(person.ask, "chunks=2"))
            time.sleep(HELD / 4)
        # Then all of the posts wait, and so does the end of the reply whose answer is whole
        assert not any(post.done() for post in posting)
        assert trial.asked(ending)[0].ending == "finished"
        assert [people[n].reply(reply)["status"] for n, reply in enumerate((going, ending))] == ["running", "running"]
    # And then each post succeeds, and no log tells of a lock
    posted = [post.result() for post in posting]
    assert [outcome.status for outcome in posted] == [202] * 4
    verdict = trial.check().must_be_clean()
    assert {(reply.status, reply.attempt) for reply in verdict.evidence.replies} == {("completed", 1)}
    assert "locked" not in verdict.evidence.logs
