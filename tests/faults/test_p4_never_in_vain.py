"""P4, races for the last credits (F28): no more is accepted than the balance covers, and all of it adds up."""

from collections import Counter

import pytest
from sqlalchemy import text

from tests.faults.people import at_the_same_time
from tests.faults.trial import Trial


def set_balance(trial: Trial, user_id: str, balance: int) -> None:
    """Take back what is too much of the first grant: a correction, as an operator would enter it."""
    with trial.deployment.engine.begin() as connection:
        key = user_id if trial.deployment.kind == "postgresql" else user_id.replace("-", "")
        values = {"user": key, "delta": balance - 300, "balance": balance}
        connection.execute(text("UPDATE users SET credits = :balance WHERE id = :user"), values)
        entry = """INSERT INTO credit_entries (id, user_id, delta, kind, ref, created_at)
            VALUES (:user, :user, :delta, 'grant', 'correction', CURRENT_TIMESTAMP)"""
        connection.execute(text(entry), values)


@pytest.mark.parametrize("balance", [30, 29, 2, 0])
def test_fifty_posts_at_once_take_no_more_than_there_is(balance: int, trial: Trial) -> None:  # F28
    person = trial.person()
    chats = [person.chats[0], *(person.new_chat() for _ in range(4))]
    set_balance(trial, person.id, balance)
    # no credits return meanwhile: none of these replies ends before the race is over
    outcomes = at_the_same_time(lambda n=n: person.ask("chunks=2,gate=door", chat=chats[n % 5]) for n in range(50))
    trial.model.open_gate("door")
    assert Counter(outcome.status for outcome in outcomes) == Counter({202: balance // 3, 402: 50 - balance // 3})
    assert {outcome.body["code"] for outcome in outcomes if outcome.status == 402} <= {"insufficient_credits"}
    trial.check().must_be_clean()
    assert person.get("/credits") == {"balance": balance % 3, "held": 0}


def test_credits_that_return_in_the_middle_of_the_race_are_spent_again_once(trial: Trial) -> None:  # F28
    person = trial.person()
    chats = [person.new_chat() for _ in range(5)]
    set_balance(trial, person.id, 6)
    # Given two replies that fail while the race goes on, so that their credits come back somewhere in it
    asked = [person.ask("status=401", chat=chat) for chat in chats[:2]]
    outcomes = at_the_same_time(lambda n=n: person.ask("chunks=2", chat=chats[n % 5]) for n in range(50))
    accepted = [outcome for outcome in [*asked, *outcomes] if outcome.status == 202]
    assert 2 <= len(accepted) <= 4
    assert {outcome.status for outcome in outcomes} <= {202, 402}
    trial.check().must_be_clean()
    completed = [outcome for outcome in accepted if person.reply(outcome)["status"] == "completed"]
    assert person.get("/credits") == {"balance": 6 - 3 * len(completed), "held": 0}
