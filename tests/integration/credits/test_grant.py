"""`holdfast grant`: an operator gives credits once for each occasion, and the open tabs hear of them."""

from flask import Flask
from flask.testing import FlaskClient

from shared.actions.credits.grant import AlreadyGranted, grant_credits
from shared.models import User
from tests.channel import Channel
from tests.factories import at_once, money_of, nothing_changes, on_sqlite_only, the_user
from tests.run.holdfast import Run


def test_what_is_granted_is_in_the_balance_the_ledger_and_an_event(
    user: User, me: FlaskClient, channel: Channel
) -> None:
    before = the_user(user.id).seq
    account = grant_credits(user.id, 50, "invoice 1")
    assert (account.credits, money_of(user.id)) == (350, (350, 0))
    assert [(entry["kind"], entry["delta"]) for entry in me.get("/credits/entries").json["items"]] == [
        ("grant", 50),
        ("grant", 300),
    ]
    (event,) = channel.heard()
    assert (event.user_id, event.name) == (user.id, "credits.changed")
    assert event.data == {"balance": 350, "held": 0, "seq": before + 1}
    # and a client that was away hears of the grant
    assert me.get(f"/sync?after={before}").json["cursor"] == before + 1


def test_an_occasion_grants_once_however_often_and_whoever_asks(core: Flask, user: User, channel: Channel) -> None:
    def grant() -> bool:
        try:
            return bool(grant_credits(user.id, 50, "invoice 1"))
        except AlreadyGranted:
            return False

    assert sum(at_once(core, *[grant] * 6)) == 1
    assert (money_of(user.id), len(channel.heard())) == ((350, 0), 1)
    with nothing_changes():
        assert not grant()
    assert grant_credits(user.id, 50, "invoice 2").credits == 400


@on_sqlite_only
def test_the_command_says_what_it_did_and_fails_if_it_did_nothing(user: User, channel: Channel, holdfast: Run) -> None:
    def grant(*words: str) -> tuple[int, str]:
        done = holdfast("grant", *words)
        return done.returncode, done.stdout + done.stderr

    upper = user.email.upper()
    assert grant(upper, "50", "--ref", "invoice 1") == (0, f"{upper} has 350 credits\n")
    assert channel.names() == ["credits.changed"]
    again = grant(user.email, "50", "--ref", "invoice 1")
    assert again == (1, f"Error: {user.email} was granted credits for invoice 1 before; nothing has changed.\n")
    nobody = grant("nobody@example.org", "50", "--ref", "invoice 1")
    assert nobody == (1, "Error: No account has the email nobody@example.org.\n")
    for wrong in (["5"], ["0", "--ref", "x"], ["-5", "--ref", "x"], ["5", "--ref", "x" * 65]):
        assert grant(user.email, *wrong)[0] == 2
    assert money_of(user.id) == (350, 0)
