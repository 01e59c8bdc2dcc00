"""P5: events are hints (F15), and data that strangers put into Redis changes nothing (F11)."""

import json
import time
from collections import Counter
from uuid import uuid4

import httpx2
import pytest

from shared.wire.events import CATALOGUE
from tests.eventually import at_most, eventually, patience
from tests.faults.conftest import given, mostly_on
from tests.faults.lab.checker.rules import Rules
from tests.faults.lab.trial import Trial

QUEUE = "holdfast:test:queue:replies"
# Seconds. A socket server asks so often whether it still hears, and notices within them that it does not.
SELF_CHECK = {"HOLDFAST_SELF_CHECK_SECONDS": "2"}


def _ready(trial: Trial) -> bool:
    return httpx2.get(f"{trial.programs.realtime_url}/readyz", timeout=patience(2)).status_code == 200


@mostly_on("sqlite")
def test_a_cut_subscription_resumes_and_tells_the_tabs_to_ask(trial: Trial) -> None:  # F15
    person = trial.person()
    outcome = person.ask("chunks=10,every=20,gate=cut")
    trial.wait_for_text(outcome)
    with trial.deployment.redis_client() as redis:
        assert redis.client_kill_filter(_type="pubsub") >= 1
    resync = person.tab.wait_for_name("resync", within=5)
    # the rest arrives as ever, and REST has the missed text
    trial.model.open_gate("cut")
    ended = person.tab.wait_for(lambda event: event.name == "message.completed" and event.at >= resync.at)
    assert ended.data["content"] == person.reply(outcome)["content"]
    trial.check().must_be_clean()


@mostly_on("postgresql")
def test_text_is_there_to_be_asked_for_while_no_event_comes(trial: Trial) -> None:  # F15
    person = trial.person()
    outcome = person.ask("chunks=10,every=20,gate=silent")
    trial.wait_for_text(outcome)
    trial.programs["realtime"].freeze()
    trial.model.open_gate("silent")
    eventually(lambda: person.reply(outcome)["status"] == "completed", within=5)
    trial.programs["realtime"].thaw()
    trial.check().must_be_clean()


@mostly_on("sqlite")
@given("realtime", **SELF_CHECK)
def test_a_deaf_socket_server_says_so_and_hears_again_by_itself(trial: Trial) -> None:  # F15
    person = trial.person()
    eventually(lambda: _ready(trial))
    with at_most(15):
        trial.redis.freeze()
        eventually(lambda: not _ready(trial), within=15)
    trial.redis.thaw()
    eventually(lambda: _ready(trial), within=15)
    person.tab.wait_for_name("resync", within=15)
    trial.check().must_be_clean()


@pytest.mark.long
@pytest.mark.timeout(0)
@given("realtime", **SELF_CHECK)
def test_after_twenty_seconds_without_redis_the_socket_server_hears_again_by_itself(trial: Trial) -> None:  # F15
    person = trial.person()
    running = person.ask("chunks=10,every=20,gate=away")
    trial.wait_for_text(running)
    trial.redis.kill()
    trial.model.open_gate("away")
    # meanwhile REST has the text, and the socket server says that it hears nothing
    eventually(lambda: person.reply(running)["status"] == "completed", within=5)
    eventually(lambda: not _ready(trial), within=15)
    time.sleep(20)
    trial.redis.start()
    person.tab.wait_for_name("resync", within=15)
    eventually(lambda: _ready(trial), within=15)
    outcome = person.ask()
    person.tab.wait_for(lambda event: event.name == "message.completed" and event.data["id"] == outcome.reply_id)
    trial.check().must_be_clean()


@mostly_on("postgresql")
def test_no_event_is_large_whatever_people_and_models_say(trial: Trial) -> None:  # F15
    person = trial.person()
    with trial.deployment.redis_client() as redis, redis.pubsub(ignore_subscribe_messages=True) as channel:
        channel.subscribe("holdfast:test:events")
        channel.get_message(timeout=patience(5))
        outcome = person.ask(content=f"q-{uuid4().hex[:12]} fake:signed,huge {'x' * 90_000}")
        trial.wait_for_status(outcome, "completed")
        heard: list[bytes] = []
        while b"message.completed" not in b"".join(heard[-1:]):
            message = channel.get_message(timeout=patience(5))
            assert message, "the event with the whole text does not come"
            heard.append(message["data"])
    assert len(heard) > 3
    assert max(map(len, heard)) < 64 * 1024
    trial.check().must_be_clean()


@mostly_on("sqlite")
def test_forged_and_unreadable_jobs_do_no_more_than_real_ones(trial: Trial) -> None:  # F11
    victim, person = trial.person(), trial.person()
    done = victim.ask()
    trial.wait_for_status(done, "completed")
    before = len(trial.programs["worker"].log)
    job = {"queue_name": "replies", "actor_name": "write_reply", "kwargs": {}, "options": {}, "message_timestamp": 1}
    junk = ["", "no job", "[]", "{}", "null", '"text"', json.dumps({**job, "message_id": "x", "args": 7})]
    junk += [json.dumps({**job, "message_id": "y", "args": [done.reply_id], "options": options}) for options in ({}, 7)]
    with trial.deployment.redis_client() as redis:
        for entry in junk:
            name = uuid4().hex
            redis.hset(f"{QUEUE}.msgs", name, entry)
            redis.rpush(QUEUE, name)
        redis.rpush(QUEUE, "a name without an entry")
    trial.deployment.redeliver(done.reply_id, str(uuid4()), "no id at all", "'; DROP TABLE users; --")
    outcome = person.ask()
    trial.wait_for_status(outcome, "completed")
    with trial.deployment.redis_client() as redis:
        redis.rpush(QUEUE, "another one, alone")
    # the log may hold the traceback of a job that can't run
    trial.check(rules=Rules(tracebacks=True)).must_be_clean()
    assert len(trial.asked(done)) == 1
    # and no junk has stopped the consumer, or is left to come again
    log = trial.programs["worker"].log[before:]
    assert log.count("queue.junk") >= len(junk) + 2
    assert "Consumer encountered" not in log
    with trial.deployment.redis_client() as redis:
        dead = redis.hvals(f"{QUEUE}.XQ.msgs")
        assert Counter(junk) <= Counter(entry.decode() for entry in dead)
        eventually(lambda: trial.deployment.fetched() == [])


@mostly_on("sqlite")
def test_what_other_environments_and_strangers_publish_reaches_nobody(trial: Trial) -> None:  # F11
    person = trial.person()
    forged = json.dumps([[person.id, "message.deleted", {"id": "forged", "chatSessionId": "x", "seq": 1}]])
    enter_room = json.dumps({"method": "enter_room", "sid": "x", "room": f"user:{person.id}", "namespace": "/"})
    with trial.deployment.redis_client() as redis:
        for channel in ("holdfast:production:events", "holdfast:development:events", "socketio"):
            redis.publish(channel, forged)
            redis.publish(channel, enter_room)
        for unreadable in (b"\xff\x00", b"{}", b"[[1,2,3]]", b"null", enter_room.encode()):
            redis.publish("holdfast:test:events", unreadable)
    outcome = person.ask()
    person.tab.wait_for(lambda event: event.name == "message.completed" and event.data["id"] == outcome.reply_id)
    assert {event.name for event in person.tab.heard} <= CATALOGUE.keys()
    assert "message.deleted" not in {event.name for event in person.tab.heard}
    trial.check().must_be_clean()
