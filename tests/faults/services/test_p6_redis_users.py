"""P6: others can reach Redis (F11). With the users of docs/redis.md, programs work, and Redis refuses strangers."""

import re
from pathlib import Path
from urllib.parse import quote

import pytest
from redis import AuthenticationError, Redis
from redis.exceptions import NoPermissionError

from tests.eventually import eventually
from tests.faults.conftest import mostly_on
from tests.faults.lab.deployment import PROGRAMS
from tests.faults.lab.trial import Trial

DOCUMENT = Path(__file__).parents[3] / "docs" / "redis.md"
CHANNEL, QUEUE = "holdfast:test:events", "holdfast:test:queue:replies"


def documented(environment: str) -> list[str]:
    """The commands of the document, as an operator of this environment would enter them."""
    lines = re.findall(r"^ACL SETUSER .+$", DOCUMENT.read_text(), re.MULTILINE)
    return [line.replace(":production:", f":{environment}:").replace("PASSWORD", "secret") for line in lines]


def signed_in(trial: Trial, user: str) -> Redis:
    return Redis.from_url(url_of(trial, user))


def url_of(trial: Trial, user: str) -> str:
    return trial.redis.url.replace("unix://", f"unix://{quote(user)}:secret@")


def denied(admin: Redis) -> list[str]:
    """The refusals since the last call: user, reason and object."""
    found = [f"{entry['username']}: {entry['reason']} {entry['object']}" for entry in admin.acl_log()]
    admin.acl_log_reset()
    return found


@mostly_on("sqlite")
def test_programs_work_with_the_documented_users_and_strangers_are_refused(trial: Trial) -> None:
    *users, default_off = documented("test")
    assert [re.split(r"[ -]", line)[3] for line in users] == ["web", "worker", "sweeper", "realtime"]
    staging = [line.replace("holdfast-", "staging-") for line in documented("staging")[:-1]]
    with trial.deployment.redis_client() as admin:
        # Given users for the programs of two environments, and nobody else
        for line in [*users, *staging]:
            admin.execute_command(*line.split())
        for name in PROGRAMS:
            trial.restart(name, REDIS_URL=url_of(trial, f"holdfast-{name}"))
        admin.execute_command(*default_off.split())
        try:
            admin.acl_log_reset()
            _everything_works(trial, admin)
            assert denied(admin) == []
            _strangers_are_refused(trial)
        finally:
            admin.execute_command("ACL", "SETUSER", "default", "on")
    trial.check().must_be_clean()


def _everything_works(trial: Trial, admin: Redis) -> None:
    """Follow one reply, stop one, let Redis lose one, and leave the jobs of a dead worker."""
    person = trial.person()
    outcome = person.ask("chunks=5,gate=followed")
    person.tab.wait_for(lambda event: event.name == "message.delta" and event.data["messageId"] == outcome.reply_id)
    trial.model.open_gate("followed")
    person.tab.wait_for(lambda event: event.name == "message.completed" and event.data["id"] == outcome.reply_id)
    stopped = person.ask("chunks=5,gate=never")
    trial.wait_for_text(stopped)
    eventually(lambda: person.reply(stopped)["content"])
    assert person.call("stop", "POST", f"{stopped.path}/stop").body["content"]
    running = person.ask("chunks=5,gate=lost")
    trial.wait_for_text(running)
    for key in admin.scan_iter("holdfast:test:live:*"):
        admin.delete(key)
    admin.delete("holdfast:test:marker")
    # the jobs come first: Dramatiq forgets a dead worker that holds none
    admin.sadd("holdfast:test:queue:__acks__.a dead worker.replies", "a job")
    admin.zadd("holdfast:test:queue:__heartbeats__", {"a dead worker": 1})
    trial.model.open_gate("lost")
    trial.wait_for_status(running, "completed")
    person.insist(person.ask())
    eventually(lambda: not admin.exists("holdfast:test:queue:__acks__.a dead worker.replies"))


def _strangers_are_refused(trial: Trial) -> None:
    with Redis.from_url(trial.redis.url) as nobody, pytest.raises(AuthenticationError):
        nobody.publish(CHANNEL, "[]")
    for name in PROGRAMS:
        with signed_in(trial, f"staging-{name}") as foreign:
            foreign.publish(CHANNEL.replace("test", "staging"), "[]")
            for forbidden in (("PUBLISH", CHANNEL, "[]"), ("RPUSH", QUEUE, "x"), ("GET", QUEUE), ("FLUSHALL",)):
                with pytest.raises(NoPermissionError):
                    foreign.execute_command(*forbidden)
            with pytest.raises(NoPermissionError):
                _listen(foreign)
    with signed_in(trial, "holdfast-realtime") as sockets:
        for forbidden in (("RPUSH", QUEUE, "x"), ("LRANGE", "holdfast:test:live:x:1", "0", "-1"), ("KEYS", "*")):
            with pytest.raises(NoPermissionError):
                sockets.execute_command(*forbidden)


def _listen(foreign: Redis) -> None:
    with foreign.pubsub() as ears:
        ears.subscribe(CHANNEL)
        ears.get_message(timeout=5)
