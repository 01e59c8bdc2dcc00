"""A fork is a new chat with copies of the shown messages up to one of them. It costs nothing but one statement."""

from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, event, select

from shared.actions.chats import fork
from shared.actions.chats.fork import ForkRequest, fork_chat
from shared.actions.credits.reconcile import reconcile
from shared.database.units import query
from shared.models import ChatSession, User
from shared.models.chat import chat_sessions
from shared.models.message import MESSAGE, MessageRow, messages
from tests.channel import Channel
from tests.factories import a_chat, a_claim, a_post, a_user, everything, money_of, nothing_changes, the_user
from tests.integration.http.mirror import Mirror
from tests.integration.messages.versions.conversation import answered, ended, listed, long_chat, verb, with_reply
from workers.context.history import recent_messages


def forked(me: FlaskClient, chat: Any, message: Any, key: str | None = None, **body: Any) -> Any:
    headers = {"Idempotency-Key": key} if key else {}
    return me.post(f"/chats/{chat.id}/fork", json={"messageId": message.id} | body, headers=headers)


def rows_of(chat_id: str) -> list[MessageRow]:
    found = select(*MESSAGE).where(messages.c.chat_session_id == chat_id).order_by(messages.c.position)
    return query(found, row=MessageRow)


def test_the_new_chat_has_the_shown_messages_up_to_there_and_costs_nothing(
    me: FlaskClient, chat: ChatSession, user: User, channel: Channel
) -> None:
    first, second = answered(chat, "First"), answered(chat, "Second", "failed")
    other = with_reply(second, verb(me, second.reply, "regenerate").json["reply"]["id"])
    ended(other, text="Second answer")
    answered(chat, "Third")
    before, money = the_user(user.id).seq, money_of(user.id)
    channel.forget()
    answer = forked(me, chat, other.reply)
    new = answer.json
    assert (answer.status_code, new["title"], new["unread"], new["parked"]) == (201, chat.title, False, False)
    copies = rows_of(new["id"])
    assert [(row.position, row.content) for row in copies] == [
        (0, "First"),
        (1, "Half of an answer"),
        (2, "Second"),
        (3, "Second answer"),
    ]
    assert [row.reply_to for row in copies] == [None, copies[0].id, None, copies[2].id]
    assert {(row.credits_held, row.credits_charged, row.tokens_in, row.version, row.version_of) for row in copies} == {
        (0, 0, None, 1, None)
    }
    original = rows_of(chat.id)
    assert not {row.id for row in copies} & {row.id for row in original}
    assert [row.created_at for row in copies[:2]] == [row.created_at for row in original[:2]]
    assert (money_of(user.id), list(reconcile())) == (money, [])
    (created,) = channel.heard()
    assert (created.name, created.data["id"], created.data["seq"]) == ("chat.created", new["id"], before + 5)
    assert [row.seq for row in copies] == [before + n for n in range(1, 5)]
    assert [said["content"] for said in recent_messages(a_claim(a_post(user_chat(user, new), "Fourth"))).messages][
        :2
    ] == [
        "First",
        "Half of an answer",
    ]
    assert first.reply


def user_chat(user: User, new: Any) -> Any:
    return query(select(chat_sessions.c.id, chat_sessions.c.owner_id).where(chat_sessions.c.id == new["id"])).first()


def test_a_client_that_was_there_before_catches_up_with_all_copies(me: FlaskClient, chat: ChatSession) -> None:
    posted = [answered(chat, f"Question {n}") for n in range(3)][-1]
    mirror = Mirror(me)
    new = forked(me, chat, posted.reply).json
    mirror.catch_up(2)
    listed_now = {item["id"] for item in me.get(f"/chats/{new['id']}/messages").json["items"]}
    assert {one for one, row in mirror.messages.items() if row["chatSessionId"] == new["id"]} == listed_now


def test_a_title_may_be_given_and_a_key_makes_one_chat(me: FlaskClient, chat: ChatSession) -> None:
    posted = answered(chat)
    first = forked(me, chat, posted.message, key="k", title="Another way")
    with nothing_changes():
        again = forked(me, chat, posted.message, key="k", title="Another way")
        other = forked(me, chat, posted.message, key="k")
    assert (first.json["title"], again.json, again.headers["Idempotent-Replayed"]) == (
        "Another way",
        first.json,
        "true",
    )
    assert (other.status_code, other.json["code"]) == (422, "idempotency_key_reused")
    assert [row.content for row in rows_of(first.json["id"])] == ["A question"]


def test_two_forks_at_one_message_are_apart(me: FlaskClient, chat: ChatSession) -> None:
    posted = answered(chat)
    ids = [{row.id for row in rows_of(forked(me, chat, posted.reply).json["id"])} for _ in range(3)]
    assert len(set.union(*ids)) == 6


def test_open_replies_stay_behind(me: FlaskClient, chat: ChatSession) -> None:
    open_one = a_post(chat, "Open")
    a_claim(open_one)
    stored = me.post(f"/chats/{chat.id}/messages", json={"content": "Stored", "generate": False}).json["message"]
    last = rows_of(chat.id)[-1]
    assert last.id == stored["id"]
    assert [row.content for row in rows_of(forked(me, chat, last).json["id"])] == ["Open", "Stored"]
    with nothing_changes():
        answer = forked(me, chat, open_one.reply)
    assert (answer.status_code, answer.json["code"], answer.json["messageId"]) == (
        409,
        "reply_open",
        open_one.reply.id,  # type: ignore[union-attr]
    )


def test_a_hidden_version_is_refused_and_so_is_what_is_not_there(me: FlaskClient, chat: ChatSession) -> None:
    posted = answered(chat)
    verb(me, posted.reply, "regenerate")
    theirs = answered(a_chat(a_user()))
    with nothing_changes():
        assert forked(me, chat, posted.reply).json["code"] == "not_shown"
        assert forked(me, chat, theirs.message).status_code == 403
        assert forked(me, theirs.message._replace(id=theirs.message.chat_session_id), theirs.message).status_code == 403
    me.delete(f"/chats/{chat.id}/messages/{posted.message.id}")
    with nothing_changes():
        assert forked(me, chat, posted.message).status_code == 404


def test_the_copies_are_erased_with_their_own_chat_only(me: FlaskClient, chat: ChatSession) -> None:
    posted = answered(chat, "Secret")
    new = forked(me, chat, posted.reply, title="Copy").json
    me.delete(f"/chats/{chat.id}")
    assert listed(me, user_chat(User(), new)) == ["Secret", "Half of an answer"]
    me.delete(f"/chats/{new['id']}")
    assert "Secret" not in str(everything())


def test_ten_thousand_messages_take_as_many_statements_as_ten(chat: ChatSession) -> None:
    def statements(chat: ChatSession, count: int) -> int:
        last, seen = long_chat(chat, count), list[str]()
        note = lambda _connection, _cursor, statement, *_: seen.append(statement)  # noqa: E731
        event.listen(Engine, "before_cursor_execute", note)
        new = fork_chat(chat.owner_id, ForkRequest(chat.id, last)).chat
        event.remove(Engine, "before_cursor_execute", note)
        assert (new.next_position, len(rows_of(new.id))) == (count, count)
        return len(seen)

    assert statements(a_chat(), 10) == statements(chat, 10_000)


@pytest.mark.parametrize("limit", ["_MOST_MESSAGES", "_MOST_BYTES"])
def test_more_than_one_statement_should_copy_is_refused(
    limit: str, me: FlaskClient, chat: ChatSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    posted = answered(chat)
    monkeypatch.setattr(fork, limit, 1)
    with nothing_changes():
        answer = forked(me, chat, posted.reply)
    assert (answer.status_code, answer.json["code"]) == (422, "fork_too_large")
