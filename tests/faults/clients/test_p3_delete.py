"""P3: a deletion stays in force when a worker claims, writes or ends the reply at the same time (F30)."""

from typing import Any

from sqlalchemy import delete, select, update

from shared.models.message import messages
from tests.eventually import eventually
from tests.faults.conftest import by_turns, given
from tests.faults.lab.checker.rules import LETS_GO_WITHIN
from tests.faults.lab.history import Outcome
from tests.faults.lab.people import Witnessed
from tests.faults.lab.trial import Trial
from tests.faults.lab.witness import notes


def remove(person: Witnessed, asked: Outcome, what: str) -> None:
    chat = f"/chats/{asked.chat_id}"
    path = {"message": f"{chat}/messages/{asked.message_id}", "chat": chat, "account": "/me"}[what]
    body = {"password": person.password} if what == "account" else None
    answer = person.call("delete", "DELETE", path, json=body)
    assert answer.status == (200 if what == "account" else 204), answer.text


_LAST_WORD = {"message": "message.deleted", "chat": "chat.deleted", "account": "resync"}


def rows(trial: Trial, person: Witnessed) -> list[Any]:
    with trial.deployment.engine.connect() as connection:
        mine = select(messages).where(messages.c.owner_id == person.id).order_by(messages.c.id)
        return list(connection.execute(mine))


def must_be_gone(trial: Trial, person: Witnessed, asked: Outcome, what: str) -> None:
    """Check that REST, the rows and Redis no longer have the reply. The checker looks at the logs (G11)."""
    expected = 401 if what == "account" else 404
    assert person.http.get(asked.path).status_code == expected
    stays = what == "message"  # the chat's earlier messages stay
    gone = [row for row in rows(trial, person) if not stays or row.id in (asked.message_id, asked.reply_id)]
    assert gone
    assert all(row.deleted_at and not row.content for row in gone)
    with trial.deployment.redis_client() as redis:
        assert redis.keys("*:live:*") == []
        for key in redis.keys("*"):
            assert asked.nonce.encode() not in (redis.dump(key) or b"")


def told_after(person: Witnessed, asked: Outcome, mark: int) -> list[str]:
    """The events of this reply after the first `mark` events of the tab."""
    of_reply = (asked.reply_id, asked.message_id)
    heard = [event for event in person.tab.heard[mark:] if event.name != "message.deleted"]
    return [e.name for e in heard if e.data and (e.data.get("messageId") or e.data.get("id")) in of_reply]


@by_turns("what", ["message", "chat", "account"])
def test_what_is_deleted_while_its_reply_is_written_is_gone_at_once(trial: Trial, what: str) -> None:
    person = trial.person()
    asked = person.ask("chunks=5000,every=20")
    trial.wait_for_text(asked, pieces=5)
    mark = len(person.tab.heard)
    remove(person, asked, what)
    must_be_gone(trial, person, asked, what)
    # its worker lets go of the model, and the credits are back
    (request,) = trial.asked(asked)
    eventually(lambda: request.ending == "client closed", within=LETS_GO_WITHIN / 1000)
    verdict = trial.check().must_be_clean()
    assert verdict.evidence.users[person.id].credits == 300
    # some deltas may still be on their way to the tab, but none comes after the last event
    end = [event.name for event in person.tab.heard].index(_LAST_WORD[what], mark)
    assert told_after(person, asked, end) == []
    must_be_gone(trial, person, asked, what)


@by_turns("what", ["chat", "account", "message"])
@given("worker", HOLDFAST_FAILPOINTS="after_claim=hold:{hold}")
def test_what_is_deleted_between_claim_and_question_is_never_asked(trial: Trial, what: str) -> None:
    # Given a chat with a past, and a worker that pauses after a claim
    person = trial.person()
    answered = person.ask()
    trial.wait_for_status(answered, "completed")
    # When the owner deletes the message, the chat or the account of a reply that was just claimed
    with trial.held():
        asked = person.ask()
        person.tab.wait_for(lambda e: e.name == "message.created" and e.data["id"] == asked.reply_id)
        trial.wait_for_failpoint("after_claim", times=2)
        assert person.reply(asked)["status"] == "running"
        remove(person, asked, what)
        before = rows(trial, person)
    # Then no worker asks the model for this reply, not even with an erased question
    eventually(lambda: trial.deployment.fetched() == [])
    assert trial.model.requests == trial.asked(answered)
    trial.check().must_be_clean()
    assert trial.asked(asked) == []
    assert len(trial.asked(answered)) == 1
    assert rows(trial, person) == before
    must_be_gone(trial, person, asked, what)


@by_turns("what", ["account", "message", "chat"])
def test_a_zombie_that_ends_its_reply_later_resurrects_nothing(trial: Trial, what: str) -> None:
    # Given a worker that is frozen while it writes, and a model that sends its whole answer
    person = trial.person()
    asked, waiting = person.ask("chunks=3,gate=zombie"), person.ask()
    trial.wait_for_text(asked)
    person.tab.wait_for(lambda e: e.name == "message.delta" and e.data["messageId"] == asked.reply_id)
    trial.freeze_worker(asked)
    trial.model.open_gate("zombie")
    eventually(lambda: trial.asked(asked)[0].sent == 3)
    # When the message, the chat or the account is deleted, and the worker goes on as if nothing had happened
    remove(person, asked, what)
    mark, before = len(person.tab.heard), [row for row in rows(trial, person) if row.deleted_at]
    trial.programs["worker"].thaw()
    # Then the worker changes nothing, and tells nobody
    trial.check().must_be_clean()
    assert [row for row in rows(trial, person) if row.id in {row.id for row in before}] == before
    assert told_after(person, asked, mark) == []
    if what != "message":  # otherwise the waiting reply has run since
        assert trial.asked(waiting) == []
        must_be_gone(trial, person, asked, what)


def test_what_comes_back_or_vanishes_is_written_down_for_the_checker(trial: Trial) -> None:
    person = trial.person()
    outcome = person.ask()
    trial.wait_for_status(outcome, "completed")
    remove(person, outcome, "chat")

    def noted() -> list[str]:
        return [note.what for note in notes(trial.deployment.engine) if note.whose in (person.id, outcome.reply_id)]

    assert not {"rewritten", "removed"} & set(noted())  # a deletion is neither
    reply = messages.c.id == outcome.reply_id
    with trial.deployment.engine.begin() as unit:
        unit.execute(update(messages).where(reply).values(content="what a dead worker knew"))
    assert noted()[-1] == "rewritten"
    with trial.deployment.engine.begin() as unit:
        unit.execute(update(messages).where(reply).values(deleted_at=None))
        unit.execute(delete(messages).where(reply))
    assert noted()[-2:] == ["rewritten", "removed"]
