"""P2: PostgreSQL restarts or loses connections (F16). A post gets 202 or 503. No write is half. Every reply ends."""

import threading
import time
from collections.abc import Iterator
from typing import NamedTuple
from uuid import uuid4

import pytest
from sqlalchemy import text

from tests.eventually import eventually, joined
from tests.faults.conftest import given, on_postgresql
from tests.faults.lab.checker.rules import Rules
from tests.faults.lab.deployment import Deployment
from tests.faults.lab.people import Load
from tests.faults.lab.trial import Trial, a_trial
from tests.services.guard import Guard
from tests.services.postgres import PostgresDatabases, own_postgres
from tests.services.service import Service

MAY_REFUSE = Rules(statuses=frozenset({503}))
CUT = text("""
    SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
    WHERE datname = current_database() AND pid != pg_backend_pid()
""")


class Own(NamedTuple):
    server: Service
    databases: PostgresDatabases
    trial: Trial

    def restart(self, away: float = 0.3) -> None:
        self.server.stop()
        time.sleep(away)  # the length of the outage is the fault itself
        self.start()

    def start(self) -> None:
        """Start the server, and wait until it takes connections again."""
        self.server.start()
        eventually(self.databases.ping, within=20)


@pytest.fixture
def own(guard: Guard) -> Iterator[Own]:
    """A deployment on a PostgreSQL that no other test uses."""
    with own_postgres(guard, f"pg-{uuid4().hex[:8]}", synchronous_commit="on") as (server, databases):
        deployment = Deployment(guard, "restarted", databases)
        with deployment, a_trial(deployment) as trial:
            yield Own(server, databases, trial)


def cut_all(trial: Trial) -> None:
    with trial.deployment.engine.connect() as connection:
        connection.execute(CUT)


def test_a_restart_mid_stream_costs_a_reply_nothing_and_the_next_post_succeeds(own: Own) -> None:
    person = own.trial.person()
    streaming = person.ask("chunks=5,gate=door")
    own.trial.wait_for_text(streaming)
    own.restart()
    # Then the first request after the restart succeeds
    assert person.ask(chat=person.new_chat()).status == 202
    own.trial.model.open_gate("door")
    own.trial.wait_for_status(streaming, "completed")
    own.trial.check(rules=MAY_REFUSE).must_be_clean()
    assert person.reply(streaming)["attempt"] == 1


def test_a_final_write_that_meets_a_database_that_is_down_is_done_once_it_is_back(own: Own) -> None:
    own.trial.restart("worker", HOLDFAST_LEASE_SECONDS="45")  # on a busy machine, a server starts slowly
    person = own.trial.person()
    outcome = person.ask("chunks=2,gate=last")
    own.trial.wait_for_text(outcome)
    person.tab.wait_for(lambda e: e.name == "message.delta" and e.data["messageId"] == outcome.reply_id)
    # Given a model that sends the rest only when no worker can store text any more
    own.server.stop()
    own.trial.model.open_gate("last")
    (request,) = own.trial.asked(outcome)
    eventually(lambda: request.ending == "finished")
    time.sleep(4)  # the length of the outage is the fault itself
    own.start()
    # Then the same worker stores the text
    own.trial.wait_for_status(outcome, "completed", within=20)
    own.trial.check(rules=MAY_REFUSE).must_be_clean()
    assert person.reply(outcome)["attempt"] == len(own.trial.asked(outcome)) == 1


def test_restarts_under_load_lose_and_double_nothing(own: Own) -> None:
    people = [own.trial.person() for _ in range(3)]
    with Load(people, "chunks=10,every=20", pause=0.1):
        for _ in range(2):
            time.sleep(1)
            own.restart()
        time.sleep(0.5)
    own.trial.check(rules=MAY_REFUSE).must_be_clean()


@on_postgresql
def test_connections_cut_again_and_again_under_load_lose_and_double_nothing(trial: Trial) -> None:
    people = [trial.person() for _ in range(3)]
    over = threading.Event()

    def cut_on() -> None:
        while not over.wait(0.04):
            cut_all(trial)

    cutting = threading.Thread(target=cut_on)
    with Load(people, "chunks=5,every=10", pause=0.05):
        cutting.start()
        time.sleep(3)
        over.set()
        joined(cutting)
    # after two lost hand-overs, the third one comes 30 s after the turn
    trial.check(within=45, rules=MAY_REFUSE).must_be_clean()


@on_postgresql
@given("worker", HOLDFAST_FAILPOINTS="before_final_commit=hold:{hold}")
def test_a_connection_cut_before_the_final_commit_has_the_ending_repeated(trial: Trial) -> None:
    person = trial.person()
    with trial.held():
        outcome = person.ask()
        trial.wait_for_failpoint("before_final_commit")
        cut_all(trial)
    trial.wait_for_status(outcome, "completed")
    trial.check().must_be_clean()
    assert person.reply(outcome)["attempt"] == 1
    tries = f"before_final_commit [reply={outcome.reply_id}"
    assert trial.log_of("worker").count(tries) == 2
