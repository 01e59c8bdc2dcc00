"""Both databases can hold the largest values that the settings allow."""

from dataclasses import fields, replace

import pytest
from flask import Flask

from shared.settings import Settings
from tests.factories import a_chat, a_user, signed_in

LARGEST = {
    setting.name: setting.metadata["rule"].max
    for setting in fields(Settings)
    if setting.metadata["kind"] in ("int", "float") and not setting.name.endswith("port")
}


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return replace(settings, **LARGEST)


def test_with_the_largest_numbers_people_sign_up_and_post(core: Flask, app: Flask) -> None:
    user = a_user()
    chat = a_chat(user)
    signed_up = app.test_client().post(
        "/auth/sign-up", json={"email": "rich@example.org", "password": "long enough for a password"}
    )
    assert (signed_up.status_code, signed_up.json["user"]["credits"]) == (201, LARGEST["signup_credits"])
    posts = [signed_in(app, user).post(f"/chats/{chat.id}/messages", json={"content": "Hello"}) for _ in range(2)]
    assert [post.status_code for post in posts] == [202, 202]
    assert posts[0].json["credits"]["held"] == LARGEST["credits_per_reply"]
