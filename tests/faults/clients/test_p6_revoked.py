"""P6: a person who signs out, is disabled or leaves hears nothing any more (F35). Nobody else is disturbed."""

import time
from collections.abc import Callable

import httpx2

from tests.eventually import eventually, patience
from tests.fair_clock import CLOCK
from tests.faults.conftest import by_turns, mostly_on
from tests.faults.lab.people import Witnessed
from tests.faults.lab.trial import Trial
from tests.services.sockets import RawSocket, SocketClient

# The promise, in seconds.
REVOKED_WITHIN = 5.0
REFUSED = '44{"message":"unauthenticated"}'


class Device:
    """One more sign-in of a person, with a tab."""

    def __init__(self, trial: Trial, person: Witnessed) -> None:
        with httpx2.Client(base_url=trial.programs.url, timeout=patience(10)) as http:
            answer = http.post("/auth/sign-in", json={"email": person.email, "password": person.password})
        assert answer.status_code == 200, answer.text
        self.token = answer.json()["accessToken"]
        self.tab = SocketClient(trial.programs.realtime_url, self.token)


def works(trial: Trial, token: str) -> bool:
    answer = httpx2.get(f"{trial.programs.url}/me", headers={"Authorization": f"Bearer {token}"}, timeout=patience(10))
    return answer.status_code == 200


def refused(trial: Trial, token: str) -> bool:
    """Whether the socket server refuses this token."""
    with RawSocket(trial.programs.realtime_url) as raw:
        return raw.authenticate({"token": token}) == REFUSED


def sign_out(trial: Trial, person: Witnessed) -> None:
    assert person.http.post("/auth/sign-out").status_code == 204


def disable(trial: Trial, person: Witnessed) -> None:
    trial.programs.holdfast("disable", person.email)


def leave(trial: Trial, person: Witnessed) -> None:
    assert person.http.request("DELETE", "/me", json={"password": person.password}).status_code == 200


def closed(tab: SocketClient, since: float, within: float = REVOKED_WITHIN) -> None:
    """Check that the server names the reason in time, closes the socket, and sends nothing more."""
    said = tab.wait_for_name("socket.closing", within)
    assert said.data == {"code": "unauthenticated"}
    assert CLOCK.between(since, said.at) < within
    eventually(lambda: not tab.connected, within=5)
    assert tab.heard[-1] is said


def come_back(trial: Trial, person: Witnessed) -> None:
    """Sign in again, so that the checker can read what this person may see."""
    person.http.headers["Authorization"] = f"Bearer {Device(trial, person).token}"
    eventually(lambda: person.http.get("/me").status_code == 200, within=5)


@mostly_on("sqlite")
def test_signing_out_closes_the_sockets_of_this_session_only(trial: Trial) -> None:
    person, other = trial.person(), trial.person()
    laptop = Device(trial, person)
    second_tab = SocketClient(trial.programs.realtime_url, person.token)
    with laptop.tab, second_tab:
        sign_out(trial, person)
        done = time.time()
        for tab in (person.tab, second_tab):
            closed(tab, done)
        assert refused(trial, person.token)
        eventually(lambda: not works(trial, person.token), within=5)
        # the other device and other people go on, and new events reach only them
        person.http.headers["Authorization"] = f"Bearer {laptop.token}"
        outcome, others = person.ask(), other.ask()
        laptop.tab.wait_for(lambda e: e.name == "message.completed" and e.data["id"] == outcome.reply_id)
        other.tab.wait_for(lambda e: e.name == "message.completed" and e.data["id"] == others.reply_id)
        assert [tab.heard[-1].name for tab in (person.tab, second_tab)] == ["socket.closing"] * 2
    trial.check().must_be_clean()


@by_turns("end", [disable, leave])
def test_the_sockets_of_who_is_disabled_or_leaves_close_on_every_device(
    trial: Trial, end: Callable[[Trial, Witnessed], None]
) -> None:
    person, other = trial.person(), trial.person()
    laptop = Device(trial, person)
    with laptop.tab:
        end(trial, person)
        done = time.time()
        for tab in (person.tab, laptop.tab):
            closed(tab, done)
    for token in (person.token, laptop.token):
        assert refused(trial, token)
        assert not works(trial, token)
    assert other.tab.connected
    trial.people.remove(person)  # the checker can ask nothing more as this person
    trial.check().must_be_clean()


@mostly_on("postgresql")
def test_the_reply_of_who_is_disabled_meanwhile_is_completed_stored_and_charged_once(trial: Trial) -> None:  # F35
    person = trial.person()
    outcome = person.ask("chunks=10,every=20,gate=door")
    trial.wait_for_text(outcome)
    disable(trial, person)
    closed(person.tab, time.time())
    assert person.ask().status == 401
    trial.model.open_gate("door")
    eventually(lambda: trial.asked(outcome)[0].ending == "finished", within=5)
    trial.programs.holdfast("enable", person.email)
    come_back(trial, person)
    trial.wait_for_status(outcome, "completed")
    assert person.get("/credits") == {"balance": 297, "held": 0}
    assert person.tab.heard[-1].name == "socket.closing"
    trial.check().must_be_clean()


@by_turns("lost", ["while it happened", "and emptied afterwards"])
def test_a_sign_out_counts_though_redis_was_away_or_emptied(trial: Trial, lost: str) -> None:
    person = trial.person()
    if lost == "while it happened":
        trial.redis.kill()
        sign_out(trial, person)
        eventually(lambda: not works(trial, person.token), within=5)  # REST asks the database
        trial.redis.start()
    else:
        trial.programs["realtime"].freeze()  # so that it has not read the sign-out yet
        sign_out(trial, person)
        trial.redis.empty()
        trial.programs["realtime"].thaw()
    closed(person.tab, time.time(), within=10)
    assert refused(trial, person.token)
    come_back(trial, person)
    trial.check().must_be_clean()


@mostly_on("postgresql")
def test_who_signed_out_while_the_socket_server_was_away_is_not_let_in_afterwards(trial: Trial) -> None:
    person = trial.person()
    trial.programs["realtime"].kill()
    sign_out(trial, person)
    trial.redis.empty()
    come_back(trial, person)
    trial.restart("realtime")
    eventually(lambda: refused(trial, person.token), within=REVOKED_WITHIN)
    # the tab comes back by itself with the old token. A server that let the tab in too early closes the socket
    eventually(lambda: person.tab.refusals or person.tab.connections > 1)
    eventually(lambda: not person.tab.connected, within=REVOKED_WITHIN)
    outcome = person.ask()
    trial.wait_for_status(outcome, "completed")
    assert outcome.reply_id not in {(event.data or {}).get("id") for event in person.tab.heard}
    trial.check().must_be_clean()
