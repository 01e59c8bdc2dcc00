"""The checker itself: a clean run is clean, and each invariant notices when it is broken."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from tests.faults.checker import judge
from tests.faults.conftest import Deployments
from tests.faults.evidence import Evidence
from tests.faults.invariants import Rules
from tests.faults.trial import a_trial
from tests.faults.violation import DOUBLED, LOST
from tests.faults.witness import Note
from tests.services.sockets import Heard


@pytest.fixture(scope="module")
def clean(deployments: Deployments) -> Evidence:
    """Of three completed replies of one person, more than a page of /sync, and one that failed, of another."""
    deployment = deployments.get("sqlite")
    deployment.make_whole()
    with a_trial(deployment) as trial:
        alice, bob = trial.person(), trial.person()
        asked = [alice.ask(key="once"), alice.ask(), alice.ask(), bob.ask("chunks=5,cut_after=2")]
        assert {outcome.kind for outcome in asked} == {"ok"}
        return trial.check().must_be_clean().evidence


@pytest.fixture
def seen(clean: Evidence) -> Evidence:
    return deepcopy(clean)


def _reply(seen: Evidence, status: str = "completed") -> Any:
    return next(reply for reply in seen.replies if reply.status == status)


def _question(seen: Evidence) -> Any:
    return seen.messages[_reply(seen).reply_to]


def _note(seen: Evidence, what: str, was: str, now: str) -> None:
    reply = _reply(seen)
    seen.notes.append(Note(what, reply.owner_id if "ledger" in what else reply.id, was, now))


def _entry(seen: Evidence, kind: str, delta: int) -> None:
    reply = _reply(seen)
    seen.entries.append(SimpleNamespace(user_id=reply.owner_id, kind=kind, ref=reply.id, delta=delta))


def _hear(seen: Evidence, name: str, **data: Any) -> None:
    seen.heard[_reply(seen).owner_id].append(Heard(name, data))


def _forget_reply(seen: Evidence) -> None:
    del seen.messages[_reply(seen).id]


def _second_reply(seen: Evidence) -> None:
    seen.messages["another"] = SimpleNamespace(**vars(_reply(seen)) | {"id": "another"})


def _second_message(seen: Evidence) -> None:
    seen.messages["another"] = SimpleNamespace(**vars(_question(seen)) | {"id": "another"})


def _stuck(seen: Evidence) -> None:
    _reply(seen).status = "running"


def _poorer(seen: Evidence) -> None:
    seen.users[_reply(seen).owner_id].credits -= 3


def _stopped(content: str, charged: int) -> Callable[[Evidence], None]:
    """Each entry of the ledger is as it would be, so that only the price itself is wrong."""

    def stop(seen: Evidence) -> None:
        reply = _reply(seen)
        reply.status, reply.content, reply.credits_charged = "cancelled", content, charged
        if not charged:
            _entry(seen, "release", reply.credits_held)

    return stop


def _changed_text(seen: Evidence) -> None:
    _reply(seen).content = "word0@1 word0@2 "


def _earlier_answer(seen: Evidence) -> None:
    request = next(request for request in seen.requests if request.question == _question(seen).content)
    seen.requests.append(replace(request, number=2, opened_at=request.closed_at or 0.0))
    _reply(seen).attempt, _reply(seen).failures = 2, 1


def _foreign_event(seen: Evidence) -> None:
    other = next(user for user in seen.heard if user != _reply(seen).owner_id)
    seen.heard[other].append(Heard("message.delta", {"messageId": _reply(seen).id}))


def _unshown(seen: Evidence) -> None:
    del seen.shown[_reply(seen).id]


def _untold(seen: Evidence) -> None:
    del seen.synced[_reply(seen).owner_id].rows[_reply(seen).id]


def _told_too_early(seen: Evidence) -> None:
    seen.synced[_reply(seen).owner_id].rows[_reply(seen).id]["status"] = "running"


def _foreign_chat(seen: Evidence) -> None:
    chat = _reply(seen).chat_session_id
    other = next(user for user in seen.heard if user != _reply(seen).owner_id)
    seen.heard[other].append(Heard("chat.deleted", {"id": chat, "seq": 9999}))


def _foreign_money(seen: Evidence) -> None:
    own = next(event for event in seen.heard[_reply(seen).owner_id] if event.name == "credits.changed")
    other = next(user for user in seen.heard if user != _reply(seen).owner_id)
    seen.heard[other].append(Heard("credits.changed", own.data | {"balance": own.data["balance"] - 1}))


def _two_requests_at_once(seen: Evidence) -> None:
    request = next(request for request in seen.requests if request.question == _question(seen).content)
    seen.requests.append(replace(request, opened_at=request.opened_at + 1e-4, closed_at=(request.closed_at or 0) + 1))


def _second_use_of_a_key(seen: Evidence) -> None:
    outcome = deepcopy(next(outcome for outcome in seen.outcomes if outcome.key == "once"))
    outcome.body["message"]["id"] = next(m for m in seen.messages if m != outcome.message_id)
    seen.outcomes.append(outcome)


def _server_error(seen: Evidence) -> None:
    outcome = deepcopy(seen.outcomes[0])
    outcome.status, outcome.body = 500, None
    seen.outcomes.append(outcome)


def _log(text: str) -> Callable[[Evidence], None]:
    def write(seen: Evidence) -> None:
        seen.logs += text or seen.outcomes[0].nonce

    return write


BREAKS: dict[str, tuple[Callable[[Evidence], None], str]] = {
    "a reply is gone": (_forget_reply, "G1"),
    "a message has two replies": (_second_reply, "G1"),
    "a message was stored twice": (_second_message, "G10"),
    "a reply is not final": (_stuck, "G2"),
    "a reply ended twice": (lambda seen: _note(seen, "reply", "completed", "failed"), "G3"),
    "a final reply was rewritten": (lambda seen: _note(seen, "rewritten", "completed", "completed"), "G3"),
    "a balance is not its ledger's": (_poorer, "G4"),
    "a ledger fell below nothing": (lambda seen: _note(seen, "ledger", "hold", "-1000"), "G4"),
    "an entry was changed": (lambda seen: _note(seen, "ledger changed", "-3", "0"), "G4"),
    "a completed reply was released": (lambda seen: _entry(seen, "release", 3), "G5"),
    "a reply was held twice": (lambda seen: _entry(seen, "hold", -3), "G5"),
    "a stop that kept no text was charged": (_stopped(" \n", 3), "G5"),
    "a stop that kept its text was free": (_stopped("word0@1 ", 0), "G5"),
    "two answers are glued together": (_changed_text, "G6"),
    "the answer is an earlier attempt's": (_earlier_answer, "G6"),
    "somebody heard of another's reply": (_foreign_event, "G7"),
    "somebody heard of another's money": (_foreign_money, "G7"),
    "somebody heard of another's chat": (_foreign_chat, "G7"),
    "a socket without a token heard an event": (lambda seen: seen.uninvited.append('2["message.created",{}]'), "G7"),
    "REST does not show a message": (_unshown, "G8"),
    "sync does not tell a message": (_untold, "G8"),
    "sync tells a message as it was before": (_told_too_early, "G8"),
    "a number was told twice": (lambda seen: [_hear(seen, "chat.updated", seq=9999) for _ in range(2)], "G8"),
    "text came after the end": (lambda seen: _hear(seen, "message.delta", messageId=_reply(seen).id), "G8"),
    "two requests at once": (_two_requests_at_once, "G9"),
    "a key made two messages": (_second_use_of_a_key, "G10"),
    "a server error": (_server_error, "G11"),
    "a traceback in a log": (_log("Traceback (most recent call last)"), "G11"),
    "a message in a log": (_log(""), "G11"),
}


@pytest.mark.parametrize("name", BREAKS)
def test_what_is_broken_is_noticed(seen: Evidence, name: str) -> None:
    tamper, guard = BREAKS[name]
    assert judge(seen, Rules()).broken() == set()
    tamper(seen)
    assert guard in judge(seen, Rules()).broken()


def test_the_verdict_counts_what_was_lost_and_doubled_and_lists_each(seen: Evidence) -> None:
    _stuck(seen)
    _note(seen, "rewritten", "completed", "completed")
    verdict = judge(seen, Rules())
    assert verdict.count(LOST) >= 1
    assert verdict.count(DOUBLED) >= 1
    assert "is still running" in str(verdict)
    with pytest.raises(AssertionError, match="G2 lost"):
        verdict.must_be_clean()
