"""Exports hold a whole conversation, in JSON for programs and in Markdown for people, and nothing of anybody else."""

import tracemalloc
from datetime import UTC, datetime
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import insert, update

from shared.actions.accounts.delete import delete_account
from shared.actions.chats import read_out
from shared.actions.chats.change import change_chat
from shared.actions.chats.delete import delete_chat
from shared.actions.messages import erasures
from shared.actions.messages.delete import delete_message
from shared.actions.replies.finish import Answer, complete_reply, fail_reply
from shared.actions.replies.stop import stop_reply
from shared.database.tables import new_id
from shared.database.units import execute, write_unit
from shared.errors.replies import ModelRejected
from shared.models import ChatSession, User
from shared.models.chat import chat_sessions
from shared.models.message import messages
from shared.models.status import MessageType, Status
from tests.factories import a_chat, a_claim, a_post, on_sqlite_only, the_chat, the_user


def filled(chat: ChatSession, number: int, content: str = "Line {n} “é”\n") -> None:
    """Put so many finished messages into the chat."""
    common = {"chat_session_id": chat.id, "owner_id": chat.owner_id, "status": Status.COMPLETED, "seq": 1}
    kinds = (MessageType.USER, MessageType.AI_REPORT)
    rows = [
        common | {"id": new_id(), "position": n, "message_type": kinds[n % 2], "content": content.format(n=n)}
        for n in range(number)
    ]
    with write_unit():
        execute(insert(messages), rows)
        execute(update(chat_sessions).where(chat_sessions.c.id == chat.id).values(next_position=number))


def exported(me: FlaskClient, path: str = "/export") -> Any:
    answer = me.get(path)
    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    assert (answer.json["format"], answer.json["version"]) == ("holdfast-export", 1)
    return answer.json["chats"]


def test_one_chat_has_all_its_messages_as_the_api_shows_them(me: FlaskClient, chat: ChatSession) -> None:
    complete_reply(a_claim(a_post(chat, "One")), Answer("Yes", finish_reason="stop"))
    fail_reply(a_claim(a_post(chat, "Two")), ModelRejected(), Answer("Half"))
    a_post(chat, "Three")
    for ref in (chat.id, chat.display_id):
        (found,) = exported(me, f"/chats/{ref}/export")
        said = found.pop("messages")
        assert found == me.get(f"/chats/{chat.id}").json
        listed = me.get(f"/chats/{chat.id}/messages").json["items"]
        assert [message | {"queue": None} for message in said] == [message | {"queue": None} for message in listed]
    headers = me.get(f"/chats/{chat.id}/export").headers
    assert headers["Content-Disposition"] == f'attachment; filename="holdfast-{chat.display_id}.json"'
    assert headers["Cache-Control"] == "no-store"
    assert "Content-Length" not in headers


def test_all_chats_come_oldest_first_archived_or_not(me: FlaskClient, user: User) -> None:
    chats = [a_chat(user) for _ in range(4)]
    for chat in chats:
        a_post(chat, f"In {chat.id}")
    a_post(content="Somebody else's")
    change_chat(user.id, chats[1].id, archived=True)
    delete_chat(user.id, chats[2].id)
    delete_message(user.id, chats[3].id, a_post(chats[3], "Deleted").message.id)
    found = exported(me)
    assert [chat["id"] for chat in found] == [chats[n].id for n in (0, 1, 3)]
    assert [chat["archived"] for chat in found] == [False, True, False]
    assert [[message["content"] for message in chat["messages"]] for chat in found] == [
        [f"In {chats[n].id}", ""] for n in (0, 1, 3)
    ]


def test_a_user_without_chats_gets_an_empty_export(me: FlaskClient) -> None:
    assert exported(me) == []
    assert me.get("/export?format=markdown").text.startswith("<!-- Exported from Holdfast")


@pytest.mark.parametrize("content", ["Line {n} “é”\n", "x" * 40_000])
def test_pages_come_together_without_a_gap(
    content: str, me: FlaskClient, chat: ChatSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read_out, "_MESSAGES", 7)
    filled(chat, 30, content)
    (found,) = exported(me, f"/chats/{chat.id}/export")
    assert [message["position"] for message in found["messages"]] == list(range(30))
    assert found["messages"][29]["content"] == content.format(n=29)


def test_more_chats_than_a_page_come_in_their_order(me: FlaskClient, user: User) -> None:
    now = datetime.now(UTC)
    rows = [{"owner_id": user.id, "title": f"{n}", "created_at": now} for n in range(120)]
    with write_unit():
        for n, row in enumerate(rows):
            execute(insert(chat_sessions).values(**row, archived_at=now if n % 3 else None))
    found = exported(me)
    assert len({chat["id"] for chat in found}) == 120
    assert [chat["id"] for chat in found] == sorted(chat["id"] for chat in found)


def test_versions_that_are_not_shown_are_in_the_json_alone(me: FlaskClient, chat: ChatSession) -> None:
    filled(chat, 4)
    with write_unit():
        execute(update(messages).where(messages.c.position == 1).values(shown=False))
    (found,) = exported(me)
    assert [message["shown"] for message in found["messages"]] == [True, False, True, True]
    text = me.get(f"/chats/{chat.id}/export?format=markdown").text
    assert "Line 0" in text
    assert "Line 1" not in text


def test_the_markdown_reads_like_the_conversation(me: FlaskClient, chat: ChatSession) -> None:
    change_chat(chat.owner_id, chat.id, "About bread")
    complete_reply(a_claim(a_post(chat, "How?\n\n- slow")), Answer("Like **this**.\n", finish_reason="stop"))
    fail_reply(a_claim(a_post(chat, "And soup?")), ModelRejected(), Answer("Half a"))
    stop_reply(chat.owner_id, chat.id, a_post(chat, "And cake?").reply.id)
    answer = me.get(f"/chats/{chat.id}/export?format=markdown")
    assert (answer.mimetype, answer.mimetype_params) == ("text/markdown", {"charset": "utf-8"})
    assert answer.headers["Content-Disposition"].endswith(f'{chat.display_id}.md"')
    lines = [line for line in answer.text.splitlines() if line]
    assert lines[1] == "# About bread"
    without_times = [line.partition(", 20")[0] for line in lines[3:]]
    assert without_times == [
        *("## You", "How?", "- slow", "## Assistant (fake)", "Like **this**."),
        *("## You", "And soup?", "## Assistant (fake)", "Half a", f"*Failed: {ModelRejected.detail}*"),
        *("## You", "And cake?", "## Assistant (fake)", "*Stopped*"),
    ]


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("```py\nx = 1", "\n```"),
        ("~~~~\n```\n~~~", "\n~~~~"),
        ("```\nx\n````\n", ""),
        ("``` a `b` ```", ""),
        ("    ```\nx", ""),
    ],
)
def test_an_open_block_of_code_ends_with_its_message(text: str, end: str, me: FlaskClient, chat: ChatSession) -> None:
    me.post(f"/chats/{chat.id}/messages", json={"content": text, "generate": False})
    answer = me.get(f"/chats/{chat.id}/export?format=markdown")
    assert answer.text.endswith("\n\n" + text.strip("\n") + end + "\n")


@pytest.mark.parametrize("what", ["chat", "account"])
def test_what_is_deleted_meanwhile_ends_there(what: str, chat: ChatSession, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read_out, "_MESSAGES", 2)
    monkeypatch.setattr(erasures, "AT_ONCE", 1)  # the sweeper erases the other rows later
    filled(chat, 10)
    other = a_chat(the_user(chat.owner_id))  # type: ignore[arg-type]
    pages = read_out.messages_of(the_chat(chat.id))  # type: ignore[arg-type]
    chats = read_out.own_chats(chat.owner_id)
    assert [message.position for message in next(pages)] == [0, 1]
    if what == "chat":
        delete_chat(chat.owner_id, chat.id)
        assert [one.id for one in chats] == [other.id]
    else:
        delete_account(chat.owner_id)
        assert list(chats) == []
    assert list(pages) == []


@on_sqlite_only
@pytest.mark.parametrize("form", ["html", "", "JSON"])
def test_another_form_is_refused(form: str, me: FlaskClient, chat: ChatSession) -> None:
    for path in ("/export", f"/chats/{chat.id}/export"):
        answer = me.get(f"{path}?format={form}")
        assert (answer.status_code, list(answer.json["errors"])) == (422, ["format"])


@on_sqlite_only
def test_a_long_conversation_takes_no_more_memory_than_a_short_one(me: FlaskClient, user: User) -> None:
    peaks = []
    for number in (100, 1_500):
        chat = a_chat(user)
        filled(chat, number, "x" * 5_000)
        me.get(f"/chats/{chat.id}/export")  # makes what is made once
        peaks.append(peak_of(me, f"/chats/{chat.id}/export", at_least=number * 5_000))
    assert peaks[1] < 2 * peaks[0], peaks


def peak_of(me: FlaskClient, path: str, at_least: int) -> int:
    """The bytes in use at the worst moment while a client reads this."""
    tracemalloc.start()
    answer = me.get(path, buffered=False)
    size = sum(map(len, answer.iter_encoded()))
    answer.close()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size > at_least
    return peak
