"""P4: posts race for the last credits (F28). The API accepts no more than the balance covers, and all adds up."""

import itertools
from collections import Counter
from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import text

from shared.actions.credits.grant import grant_credits
from shared.core import create_core
from shared.database.tables import db
from shared.settings import load_settings
from tests.faults.conftest import by_turns, mostly_on
from tests.faults.lab.history import Outcome
from tests.faults.lab.people import Witnessed, at_the_same_time
from tests.faults.lab.trial import Trial
from tests.faults.lab.witness import notes

PRICE = 3


def set_balance(trial: Trial, user_id: str, balance: int) -> None:
    """Correct the first grant down to this balance, as an operator would."""
    with trial.deployment.engine.begin() as connection:
        key = user_id if trial.deployment.kind == "postgresql" else user_id.replace("-", "")
        values = {"user": key, "delta": balance - 300, "balance": balance}
        connection.execute(text("UPDATE users SET credits = :balance WHERE id = :user"), values)
        entry = """INSERT INTO credit_entries (id, user_id, delta, kind, ref, created_at)
            VALUES (:user, :user, :delta, 'grant', 'correction', CURRENT_TIMESTAMP)"""
        connection.execute(text(entry), values)
    trial.history.begin("grant", user_id, "").status = 200


@by_turns("balance", [30, 29, 2, 0])
def test_fifty_posts_at_once_take_no_more_than_there_is(balance: int, trial: Trial) -> None:  # F28
    person = trial.person()
    chats = [person.chats[0], *(person.new_chat() for _ in range(4))]
    set_balance(trial, person.id, balance)
    # no credits return meanwhile, because none of these replies ends before the race is over
    outcomes = at_the_same_time(lambda n=n: person.ask("chunks=2,gate=door", chat=chats[n % 5]) for n in range(50))
    trial.model.open_gate("door")
    assert Counter(outcome.status for outcome in outcomes) == Counter({202: balance // 3, 402: 50 - balance // 3})
    assert {outcome.body["code"] for outcome in outcomes if outcome.status == 402} <= {"insufficient_credits"}
    trial.check().must_be_clean()
    assert person.get("/credits") == {"balance": balance % 3, "held": 0}


@mostly_on("postgresql")
def test_credits_that_return_in_the_middle_of_the_race_are_spent_again_once(trial: Trial) -> None:  # F28
    person = trial.person()
    chats = [person.new_chat() for _ in range(5)]
    set_balance(trial, person.id, 6)
    # Given two replies that fail while the race goes on, so that their credits come back during the race
    asked = [person.ask("status=401", chat=chat) for chat in chats[:2]]
    # and other chats for the race, because a failure parks its chat until the owner resumes the chat
    outcomes = at_the_same_time(lambda n=n: person.ask("chunks=2", chat=chats[2 + n % 3]) for n in range(50))
    accepted = [outcome for outcome in [*asked, *outcomes] if outcome.status == 202]
    assert 2 <= len(accepted) <= 4
    assert {outcome.status for outcome in outcomes} <= {202, 402}
    trial.check().must_be_clean()
    completed = [outcome for outcome in accepted if person.reply(outcome)["status"] == "completed"]
    assert person.get("/credits") == {"balance": 6 - 3 * len(completed), "held": 0}


@pytest.fixture
def operator(trial: Trial, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    """One more program that grants credits. It runs the code of `holdfast grant`, without the start."""
    for name, value in trial.programs.environment.items():
        monkeypatch.setenv(name, value)
    core = create_core(load_settings())
    yield core
    with core.app_context():
        db.engine.dispose()


def granted(operator: Flask, person: Witnessed, amount: int) -> Outcome:
    outcome = person.history.begin("grant", person.id, person.chats[0])
    with operator.app_context():
        grant_credits(person.id, amount, "the race")
    outcome.status = 200
    return outcome


def balances(trial: Trial, person: Witnessed) -> list[int]:
    """The balance after each entry of the ledger, in the order of the commits."""
    moves = [
        int(note.now) for note in notes(trial.deployment.engine) if (note.what, note.whose) == ("ledger", person.id)
    ]
    return list(itertools.accumulate(moves))


@by_turns("balance", [30, 5])
def test_a_grant_and_a_release_in_the_middle_of_the_race_are_spent_to_the_last_and_no_further(
    balance: int, trial: Trial, operator: Flask
) -> None:  # F28
    person = trial.person()
    chats = [person.new_chat() for _ in range(5)]
    set_balance(trial, person.id, balance)
    # Given a reply that no worker writes yet, in a chat of its own, because its stop parks the chat
    trial.programs["worker"].freeze()
    waiting = person.ask("chunks=2", chat=chats[0])
    # When its stop returns credits, and an operator grants some, while forty posts at once spend the balance
    race = [lambda n=n: person.ask("chunks=2", chat=chats[1 + n % 4]) for n in range(40)]
    race.insert(10, lambda: granted(operator, person, 14))
    race.insert(20, lambda: person.call("stop", "POST", f"{waiting.path}/stop"))
    outcomes = at_the_same_time(race)
    posts = [outcome for outcome in outcomes if outcome.op == "post"]
    assert Counter(outcome.status for outcome in outcomes if outcome.op != "post") == {200: 2}
    # and further posts spend the credits that came after the last refusal
    while (last := person.ask("chunks=2", chat=chats[1])).status == 202:
        posts.append(last)
    assert (last.status, last.body["code"]) == (402, "insufficient_credits")
    # Then the ledger was never below zero, and the credits of both are spent, too
    after_each = balances(trial, person)
    assert min(after_each) >= 0
    assert after_each[-1] == (balance + 14) % PRICE
    accepted = [outcome for outcome in posts if outcome.status == 202]
    assert len(accepted) == (balance + 14) // PRICE
    assert {outcome.status for outcome in posts} <= {202, 402}
    trial.programs["worker"].thaw()
    trial.check(within=40).must_be_clean()
    assert person.get("/credits") == {"balance": (balance + 14) % PRICE, "held": 0}
