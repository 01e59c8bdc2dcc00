"""Each cursor of the form that the document states is a place in its list, also one that the server never gave."""

import pytest
from flask.testing import FlaskClient

from shared.models import ChatSession


@pytest.mark.parametrize("letter", "Ag9_-z")
def test_a_cursor_of_the_stated_form_is_accepted(letter: str, me: FlaskClient, chat: ChatSession) -> None:
    for sort in ("lastActiveAt", "updatedAt", "createdAt"):
        assert me.get(f"/chats?cursor={letter * 32}&sort={sort}").status_code == 200
    for order in ("asc", "desc"):
        assert me.get(f"/chats/{chat.id}/messages?cursor={letter * 8}&order={order}").status_code == 200
    assert me.get(f"/credits/entries?cursor={letter * 32}").status_code == 200


@pytest.mark.parametrize("after", [0, 2**31, 2**63, 10**39])
def test_a_number_of_any_size_is_a_place_in_the_changes(after: int, me: FlaskClient) -> None:
    assert me.get(f"/sync?after={after}").status_code == 200


@pytest.mark.parametrize("seq", [0, 7.0, 2**31, 2**63, 10**300])
def test_a_number_of_any_size_may_be_seen(seq: float, me: FlaskClient, chat: ChatSession) -> None:
    assert me.put(f"/chats/{chat.id}/seen", json={"seq": seq}).status_code == 200
