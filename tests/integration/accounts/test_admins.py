"""`holdfast admin` lets a user write system messages, and takes that right away again."""

import pytest
from flask.testing import FlaskClient
from sqlalchemy import update

from shared.actions.accounts.admin import set_admin
from shared.database.units import execute, write_unit
from shared.models import ChatSession, User
from shared.models.user import DEMO, users
from tests.factories import nothing_changes, on_sqlite_only, the_user
from tests.run.holdfast import Run


def test_an_admin_writes_system_messages_until_the_role_is_taken_away(
    me: FlaskClient, user: User, chat: ChatSession
) -> None:
    def said() -> int:
        return me.post(f"/chats/{chat.id}/messages", json={"content": "Be brief.", "role": "system"}).status_code

    assert set_admin(user.id, admin=True)
    assert (said(), me.get("/me").json["role"]) == (201, "admin")
    assert set_admin(user.id, admin=False)
    assert (said(), me.get("/me").json["role"]) == (403, "user")


@pytest.mark.parametrize("admin", [True, False])
def test_the_demo_user_stays_the_demo_user(admin: bool, user: User) -> None:
    with write_unit():
        execute(update(users).where(users.c.id == user.id).values(role=DEMO))
    with nothing_changes():
        assert not set_admin(user.id, admin=admin)


@on_sqlite_only
def test_the_command_says_what_it_did(user: User, holdfast: Run) -> None:
    def admin(*words: str) -> tuple[int, str]:
        done = holdfast("admin", *words)
        return done.returncode, done.stdout + done.stderr

    assert admin(user.email) == (0, f"{user.email} is an admin, and may write system messages.\n")
    assert the_user(user.id).role == "admin"
    assert admin(user.email, "--revoke") == (0, f"{user.email} is no admin.\n")
    assert the_user(user.id).role == "user"
    assert admin("nobody@example.org") == (1, "Error: No account has the email nobody@example.org.\n")
