"""Two tabs at the same moment: no reply is doubled, never two versions are shown, and every credit adds up."""

import random
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from shared.actions.replies.finish import Answer, Superseded, complete_reply
from shared.actions.replies.stop import stop_reply
from shared.database.units import query
from shared.models import ChatSession, User
from shared.models.message import messages
from tests.factories import a_claim, at_once, change, money_of, signed_in, the_message
from tests.integration.messages.versions.conversation import TEXT, answered, ended, listed, verb, versions, with_reply


def in_tabs(app: Flask, user: User, core: Flask, *calls: Callable[[FlaskClient], Any]) -> list[Any]:
    """Each call from a tab of its own, all at once."""
    tabs = [signed_in(app, user) for _ in calls]
    return at_once(core, *(lambda call=call, tab=tab: call(tab) for call, tab in zip(calls, tabs, strict=True)))


@pytest.mark.parametrize("name", ["regenerate", "retry", "continue", "edit"])
def test_of_two_tabs_one_makes_a_version_and_the_other_learns_its_name(
    name: str, app: Flask, core: Flask, me: FlaskClient, user: User, chat: ChatSession
) -> None:
    posted = answered(chat, how="failed")
    answers = in_tabs(app, user, core, *[lambda tab: verb(tab, posted.message, name)] * 4)
    assert Counter(answer.status_code for answer in answers) == {202: 1, 409: 3}
    (made,) = [answer.json["reply"]["id"] for answer in answers if answer.status_code == 202]
    refused = [answer.json for answer in answers if answer.status_code == 409]
    # after an edit, the other tab's message is not the last one any more
    codes = {"not_the_last_message"} if name == "edit" else {"reply_open"}
    assert {one["code"] for one in refused} == codes
    assert {one.get("messageId", made) for one in refused} == {made}
    assert money_of(user.id) == (297, 3)
    assert len(listed(me, chat)) == 2


def test_one_key_from_four_tabs_makes_one_version(app: Flask, core: Flask, user: User, chat: ChatSession) -> None:
    posted = answered(chat)
    answers = in_tabs(app, user, core, *[lambda tab: verb(tab, posted.reply, "regenerate", key="k")] * 4)
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json["reply"]["id"] for answer in answers}) == 1
    assert money_of(user.id) == (294, 3)


@pytest.mark.parametrize("seed", range(3))
def test_whichever_comes_first_one_version_is_shown(
    seed: int, app: Flask, core: Flask, me: FlaskClient, user: User, chat: ChatSession
) -> None:
    chance, posted = random.Random(seed), answered(chat)
    for _ in range(4):
        now = me.get(f"/chats/{chat.id}/messages").json["items"]
        pair = [the_message(item["id"]) for item in now]
        everyone = [pair[0], pair[-1], posted.message, posted.reply]
        names = ["regenerate", "edit", "shown", "shown", "retry", "continue"]
        calls = [partial(verb, message=chance.choice(everyone), name=chance.choice(names)) for _ in range(3)]
        statuses = {answer.status_code for answer in in_tabs(app, user, core, *calls)}
        assert statuses <= {200, 202, 409}
        assert shown_twice() == []
        for reply in me.get(f"/chats/{chat.id}/messages").json["items"][1:]:
            if reply["status"] == "pending":
                ended(with_reply(posted, reply["id"]), chance.choice(["completed", "failed", "stopped"]))
    assert len(listed(me, chat)) == 2
    assert sum(shown for _, shown in versions(me, posted.message)) == 1


def shown_twice() -> list[Any]:
    root = func.coalesce(messages.c.version_of, messages.c.id)
    shown = messages.c.shown.is_(True)
    return query(select(root).where(shown).group_by(root).having(func.count() > 1))


@pytest.mark.parametrize("name", ["regenerate", "continue"])
def test_a_stop_that_races_the_end_leaves_one_end_and_one_charge(
    name: str, core: Flask, me: FlaskClient, user: User, chat: ChatSession
) -> None:
    posted = answered(chat, how="failed")
    for _ in range(5):
        reply = verb(me, posted.message, name).json["reply"]
        left = money_of(user.id)[0]
        claim = a_claim(with_reply(posted, reply["id"]))
        change(claim.id, content=claim.kept + " more", live_index=2)

        def complete(claim: Any = claim) -> str:
            try:
                complete_reply(claim, Answer(claim.kept + " more and all", 3, finish_reason="length"))
            except Superseded:
                return "superseded"
            return "completed"

        ends = at_once(core, complete, lambda claim=claim: stop_reply(user.id, chat.id, claim.id).status)
        row = the_message(claim.id)
        assert (row.status, ends[0]) in [("completed", "completed"), ("cancelled", "superseded")]
        assert row.content.startswith(claim.kept + " more")
        assert money_of(user.id) == (left, 0)
    assert TEXT in row.content or name == "regenerate"
