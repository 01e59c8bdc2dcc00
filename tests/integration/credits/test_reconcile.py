"""`holdfast reconcile` is silent while all adds up, also under load. Each difference gives one line."""

import re
import threading
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import update

from shared.actions.credits.reconcile import differences, reconcile
from shared.actions.replies.finish import Answer, complete_reply, fail_reply
from shared.database.tables import db
from shared.database.units import execute, write_unit
from shared.errors.replies import ModelRejected
from shared.models import User
from shared.models.credits import GRANT, HOLD, RELEASE, record
from shared.models.message import messages
from shared.models.user import users
from tests.factories import a_chat, a_claim, a_post, a_user, at_once
from tests.run.holdfast import Run


def settled(user: User) -> dict[str, str]:
    """One reply in each state."""
    posts = {state: a_post(a_chat(user)) for state in ("completed", "failed")}
    complete_reply(a_claim(posts["completed"]), Answer("Done", finish_reason="stop"))
    fail_reply(a_claim(posts["failed"]), ModelRejected(), Answer(""))
    posts["running"] = a_post(a_chat(user))
    a_claim(posts["running"])
    posts["pending"] = a_post(a_chat(user))
    return {state: posted.reply.id for state, posted in posts.items()}


def found_after(breakage: Callable[[], Any]) -> list[str]:
    """The differences that the breakage makes. The test rolls it back, since nobody can repair the ledger."""
    with write_unit() as unit:
        breakage()
        found = list(differences(unit))
        unit.rollback()
    return found


def spend(user: User, **columns: int) -> Callable[[], Any]:
    return lambda: execute(update(users).where(users.c.id == user.id).values(**columns))


def test_all_is_well_in_every_state(user: User) -> None:
    settled(user)
    assert list(reconcile()) == []


def test_a_wrong_balance_and_a_wrong_hold_are_found(user: User) -> None:
    settled(user)
    (line,) = found_after(spend(user, credits=292))
    assert line == f"user {user.id}: balance 292, ledger 291; held 6, open replies 6"
    (line,) = found_after(spend(user, held=9))
    assert "held 9, open replies 6" in line


def test_an_entry_without_its_cause_is_found(user: User) -> None:
    replies = settled(user)
    for state in ("running", "completed"):
        lines = found_after(lambda state=state: record(user.id, RELEASE, 3, replies[state]))  # type: ignore[misc]
        assert len(lines) == 2
        assert re.search(r"balance 291, ledger 294", lines[0])
        assert re.search(r"releases 3, should be 0", lines[1])
    lines = found_after(lambda: record(user.id, HOLD, -3, "01890000-0000-7000-8000-000000000000"))
    assert "holds -3, should be 0" in lines[1]
    assert len(found_after(lambda: record(user.id, GRANT, 5, "a gift"))) == 1


def test_an_entry_of_somebody_else_is_found_for_both(user: User) -> None:
    other, replies = a_user(), settled(user)
    lines = found_after(lambda: record(other.id, RELEASE, 3, replies["failed"]))
    assert [line.split(":")[0].split()[0] for line in lines] == ["user", "reply"]
    assert all(other.id in line for line in lines)


@pytest.mark.parametrize(
    ("state", "columns", "found"),
    [
        ("completed", {"credits_charged": 0}, 2),
        ("completed", {"credits_charged": 2}, 2),
        ("failed", {"credits_charged": 3}, 2),
        ("running", {"credits_charged": 3}, 1),
        ("pending", {"credits_held": 0}, 2),
        ("pending", {"status": "completed", "credits_charged": 3}, 1),
        ("pending", {"status": "cancelled"}, 2),
    ],
)
def test_a_reply_that_its_entries_do_not_fit_is_found(
    state: str, columns: dict[str, Any], found: int, user: User
) -> None:
    reply = settled(user)[state]
    lines = found_after(lambda: execute(update(messages).where(messages.c.id == reply).values(**columns)))
    assert len(lines) == found, lines


def test_a_system_at_work_raises_no_alarm(core: Flask) -> None:
    over, people = threading.Event(), [a_user() for _ in range(3)]

    def work(user: User) -> int:
        chat = a_chat(user)
        for number in range(12):
            claim = a_claim(a_post(chat))
            if number % 2:
                complete_reply(claim, Answer("Done", finish_reason="stop"))
            else:
                fail_reply(claim, ModelRejected(), Answer(""))
        return 0

    def look() -> int:
        looks = 0
        while not over.is_set() or not looks:
            assert list(reconcile()) == []
            looks += 1
        return looks

    def work_all() -> int:
        try:
            return sum(at_once(core, *[lambda user=user: work(user) for user in people]))  # type: ignore[misc]
        finally:
            over.set()

    assert at_once(core, work_all, look)[1] >= 1


def test_the_command_says_so_and_fails_if_there_is_a_difference(core: Flask, user: User, holdfast: Run) -> None:
    done = holdfast("reconcile", without=("REDIS_URL",))  # `holdfast up` sets it for its own programs only
    assert (done.returncode, done.stdout) == (0, "0 differences\n"), done.stderr
    with write_unit():
        spend(user, credits=299)()
    try:
        done = holdfast("reconcile", without=("REDIS_URL",))
    finally:
        with write_unit():
            spend(user, credits=300)()
    assert done.returncode == 1, done.stderr
    assert done.stdout.splitlines()[-1] == "1 differences"
    assert user.id in done.stdout
    db.session.rollback()
