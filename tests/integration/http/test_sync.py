"""GET /sync: a client asks for changes after a number, page by page. Then its rows match the server's."""

import random
import re
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import insert, text

from shared.actions.chats.change import rename_chat, see_chat
from shared.actions.chats.create import create_chat
from shared.actions.chats.delete import delete_chat
from shared.actions.messages.delete import delete_message
from shared.actions.owner_unit import owner_unit
from shared.actions.queue.parking import resume_queue
from shared.actions.replies.claim import Claim, claim_reply
from shared.actions.replies.finish import Answer, Superseded, complete_reply, fail_reply
from shared.actions.replies.release import give_back, release_reply
from shared.actions.replies.stop import stop_reply
from shared.actions.sync import changes_since
from shared.core import current_link
from shared.database.prepared import _Plan
from shared.database.tables import db, new_id
from shared.database.units import execute, query, write_unit
from shared.errors.base import HoldfastError
from shared.errors.replies import WorkerLost
from shared.models import ChatSession, User
from shared.models.chat import chat_sessions
from shared.models.message import messages
from shared.redis.live_text import Piece, append
from tests.channel import Channel
from tests.factories import (
    a_chat,
    a_claim,
    a_post,
    a_user,
    at_once,
    change,
    everything,
    the_chat,
    the_message,
    the_user,
)


class Mirror:
    """A client that knows only the answers of GET /sync."""

    def __init__(self, me: FlaskClient, cursor: int = 0) -> None:
        self.chats: dict[str, Any] = {}
        self.messages: dict[str, Any] = {}
        self.cursor, self._me = cursor, me

    def page(self, limit: int = 50) -> Any:
        page = self._me.get(f"/sync?after={self.cursor}&limit={limit}").json
        for chat in page["chats"]:
            self._put(self.chats, chat)
        for message in page["messages"]:
            self._put(self.messages, message)
        self.cursor = page["cursor"]
        return page

    def catch_up(self, limit: int = 50) -> list[Any]:
        pages = [self.page(limit)]
        while pages[-1]["hasMore"]:
            pages.append(self.page(limit))
        return pages

    def _put(self, rows: dict[str, Any], row: Any) -> None:
        if not row.get("deleted"):
            rows[row["id"]] = row
            return
        rows.pop(row["id"], None)
        if rows is self.chats:
            self.messages = {k: v for k, v in self.messages.items() if v["chatSessionId"] != row["id"]}


def as_it_is(me: FlaskClient) -> tuple[dict[str, Any], dict[str, Any]]:
    """All chats and messages, as the lists show them."""
    chats = {chat["id"]: chat for chat in me.get("/chats?limit=200").json["items"]}
    lists = [me.get(f"/chats/{chat}/messages?limit=200").json["items"] for chat in chats]
    return chats, {message["id"]: message for items in lists for message in items}


class Life:
    """Changes one user's chats at random, through the product's own verbs."""

    def __init__(self, user: User, chance: random.Random) -> None:
        self.user, self.chance = user, chance
        self.chats: list[str] = []
        self.replies: list[str] = []
        self.claims: list[Any] = []

    def step(self) -> None:
        steps = [self.create, self.rename, self.see, self.post, self.post, self.claim, self.claim, self.finish]
        others = [self.finish, self.fail, self.give_back, self.write, self.delete, self.forget, self.stop, self.resume]
        self.chance.choice(steps + others)()

    def create(self) -> None:
        self.chats.append(create_chat(self.user.id, None).id)

    def rename(self) -> None:
        self._try(lambda: rename_chat(self.user.id, self._a_chat(), str(self.chance.random())))

    def see(self) -> None:
        self._try(lambda: see_chat(self.user.id, self._a_chat(), self.chance.randrange(200)))

    def post(self) -> None:
        self._try(lambda: self.replies.append(a_post(the_chat(self._a_chat())).reply.id))

    def claim(self) -> None:
        claims = [claim_reply(reply, "a worker") for reply in self.replies]
        self.claims += [claim for claim in claims if claim]

    def write(self) -> None:
        if self.claims:
            claim = self.chance.choice(self.claims)
            append(current_link(), [Piece(claim.id, claim.attempt, "a piece ", b'["nobody","resync",{}]')])

    def finish(self) -> None:
        self._try(lambda: complete_reply(self._a_claim(), Answer("All of it", 3, "fake", "stop")))

    def fail(self) -> None:
        self._try(lambda: fail_reply(self._a_claim(), WorkerLost(), Answer("Half", 1)))

    def give_back(self) -> None:
        self._try(lambda: give_back(self._a_claim(), 0))

    def delete(self) -> None:
        if self.chance.random() < 0.2:
            self._try(lambda: delete_chat(self.user.id, self._a_chat()))

    def forget(self) -> None:
        self._try(lambda: delete_message(self.user.id, *self._a_message()))

    def stop(self) -> None:
        self._try(lambda: stop_reply(self.user.id, *self._a_message()))

    def resume(self) -> None:
        self._try(lambda: resume_queue(self.user.id, self._a_chat()))

    def _a_message(self) -> tuple[str, str]:
        if not self.replies:
            raise HoldfastError
        message = the_message(self.chance.choice(self.replies))
        return message.chat_session_id, self.chance.choice([message.id, message.reply_to])

    def _a_chat(self) -> str:
        if not self.chats:
            self.create()
        return self.chance.choice(self.chats)

    def _a_claim(self) -> Any:
        if not self.claims:
            raise HoldfastError
        return self.claims.pop(self.chance.randrange(len(self.claims)))

    def _try(self, act: Callable[[], Any]) -> None:
        with suppress(HoldfastError, Superseded):  # the row is gone, or the step is not possible now
            act()


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.settings(signup_credits=3000, max_failures=3)
def test_from_any_earlier_moment_page_by_page_one_gets_the_rows_as_they_are(
    seed: int, me: FlaskClient, user: User
) -> None:
    chance = random.Random(seed)
    life, mirrors = Life(user, chance), [Mirror(me)]
    for _ in range(8):
        for _ in range(chance.randrange(1, 12)):
            life.step()
        mirrors.append(Mirror(me))
        for mirror in chance.sample(mirrors, len(mirrors) // 2):
            mirror.catch_up(chance.choice([1, 2, 3, 7, 200]))
    is_now = as_it_is(me)
    for mirror in mirrors:
        mirror.catch_up(chance.choice([1, 2, 3, 7, 200]))
        assert (mirror.chats, mirror.messages) == is_now
        assert mirror.cursor == the_user(user.id).seq


@pytest.mark.parametrize("seed", range(3))
def test_every_number_is_told_by_exactly_one_event_and_stands_in_a_row(
    seed: int, me: FlaskClient, user: User, channel: Channel
) -> None:
    life = Life(user, random.Random(seed))
    for _ in range(40):
        life.step()
    numbers = [event.data["seq"] for event in channel.heard() if event.user_id == user.id]
    assert numbers == list(range(1, the_user(user.id).seq + 1))
    for event in channel.heard():
        if event.name.startswith(("message.", "chat.")) and not event.name.endswith(".deleted"):
            find = the_message if event.name.startswith("message.") else the_chat
            assert find(event.data["id"]).seq >= event.data["seq"], event.name


def test_without_after_there_is_only_the_cursor(me: FlaskClient, chat: ChatSession) -> None:
    a_post(chat)
    answer = me.get("/sync").json
    assert answer == {
        "chats": [],
        "messages": [],
        "credits": {"balance": 297, "held": 3},
        "cursor": the_user(chat.owner_id).seq,
        "hasMore": False,
    }
    assert me.get(f"/sync?after={answer['cursor']}").json == answer


def test_pages_are_as_long_as_asked_for_and_never_split_a_number(me: FlaskClient, user: User) -> None:
    chats = [a_chat(user) for _ in range(3)]
    for chat in chats:
        a_post(chat)
    with owner_unit(user.id, events=1) as unit:  # seven messages with one number, as in a copy of a chat
        rows = [row_of(chats[0], position, unit.account.seq) for position in range(10, 17)]
        execute(insert(messages), rows)
    for _ in range(2):
        a_post(chats[1])
    pages = Mirror(me).catch_up(limit=2)
    sizes = [len(page["messages"]) + len(page["chats"]) for page in pages]
    numbers = [{row["seq"] for row in page["messages"] + page["chats"]} for page in pages]
    assert [len(found) for found in numbers] == [2, 2, 2, 2, 2, 1], "a placeholder shares its chat's number"
    assert sum(sizes) == 6 + 3 + 7 + 4
    assert all(left.isdisjoint(right) for left in numbers for right in numbers if left is not right)
    assert [page["hasMore"] for page in pages] == [True] * (len(pages) - 1) + [False]


def row_of(chat: ChatSession, position: int, seq: int) -> dict[str, Any]:
    given = {"position": position, "seq": seq, "content": "Copied", "message_type": "user", "status": "completed"}
    return {"id": new_id(), "chat_session_id": chat.id, "owner_id": chat.owner_id, "version": 1, "shown": True} | given


def test_what_is_gone_is_a_tombstone_and_a_chats_stands_for_its_messages(me: FlaskClient, user: User) -> None:
    kept, doomed = a_chat(user), a_chat(user)
    a_post(doomed)
    gone = a_post(kept)
    cursor = the_user(user.id).seq
    delete_chat(user.id, doomed.id)
    delete_message(user.id, kept.id, gone.message.id)
    answer = me.get(f"/sync?after={cursor}").json
    assert answer["chats"] == [{"id": doomed.id, "seq": cursor + 1, "deleted": True}]
    assert answer["messages"] == [
        {"id": one.id, "chatSessionId": kept.id, "seq": cursor + 3 + at, "deleted": True}
        for at, one in enumerate((gone.message, gone.reply))
    ]


def test_a_running_reply_always_comes_with_its_text_so_far(me: FlaskClient, chat: ChatSession) -> None:
    claim = a_claim(a_post(chat))
    cursor = the_user(chat.owner_id).seq
    change(claim.id, content="From the checkpoint", live_index=1)
    (only,) = me.get(f"/sync?after={cursor}").json["messages"]
    assert (only["content"], only["nextIndex"], only["attempt"]) == ("From the checkpoint", 1, 1)
    for piece in ("And ", "more"):
        append(current_link(), [Piece(claim.id, 1, piece, b'["nobody","resync",{}]')])
    (only,) = me.get(f"/sync?after={cursor}").json["messages"]
    assert (only["content"], only["nextIndex"], only["seq"]) == ("And more", 2, cursor)


@pytest.mark.settings(redis_url="redis://127.0.0.1:1/0")
def test_it_needs_no_redis(me: FlaskClient, chat: ChatSession) -> None:
    claim = a_claim(a_post(chat))
    change(claim.id, content="From the checkpoint", live_index=1)
    answer = me.get("/sync?after=0").json
    assert [message["content"] for message in answer["messages"]][-1] == "From the checkpoint"
    assert answer["credits"] == {"balance": 297, "held": 3}


def test_who_was_away_for_too_long_or_is_ahead_has_to_start_anew(me: FlaskClient, chat: ChatSession) -> None:
    newest = the_user(chat.owner_id).seq
    for after in (newest + 1, 2**31, 2**80):
        assert me.get(f"/sync?after={after}").json == {"reset": True, "cursor": newest}
    with write_unit() as unit:
        unit.execute(text("UPDATE users SET pruned_seq = 1, seq = 3"))
    assert me.get("/sync?after=0").json == {"reset": True, "cursor": 3}
    assert me.get("/sync?after=1").json["cursor"] == 3


@pytest.mark.parametrize("query", ["after=-1", "after=x", "after=1.5", "after=", "limit=0", "limit=201", "since=1"])
def test_a_question_that_makes_no_sense_is_refused(query: str, me: FlaskClient) -> None:
    assert me.get(f"/sync?{query}").status_code == 422


def test_nobody_elses_changes_come(me: FlaskClient, user: User) -> None:
    theirs = a_post(content="Their secret")
    delete_chat(theirs.message.owner_id, a_chat(the_user(theirs.message.owner_id)).id)
    a_post(a_chat(user))
    answer = me.get("/sync?after=0")
    assert len(answer.json["messages"]) == 2
    assert "Their secret" not in answer.text
    assert theirs.message.owner_id not in answer.text


def test_it_is_all_of_one_moment(user: User, monkeypatch: pytest.MonkeyPatch, core: Flask) -> None:
    chat = a_chat(user)
    before = the_user(user.id).seq
    done: list[Any] = []

    def renamed_after_the_first(*args: Any) -> Any:
        rows = query(*args)
        if not done:
            done.extend(at_once(core, lambda: (a_post(chat), rename_chat(user.id, chat.id, "Later"))))
        return rows

    monkeypatch.setattr("shared.actions.sync.query", renamed_after_the_first)
    found = changes_since(user.id, 0, 50)
    assert (found.cursor, found.messages, found.account.held) == (before, [], 0)
    assert [one.title for one in found.chats] == ["New chat"]
    assert the_user(user.id).seq == before + 4


@pytest.mark.parametrize("give_back", [lambda claim: give_back(claim, 0), release_reply], ids=["failed", "drained"])
def test_giving_a_reply_back_is_told(
    give_back: Callable[[Claim], bool], me: FlaskClient, chat: ChatSession, channel: Channel
) -> None:
    claim = a_claim(a_post(chat))
    cursor = the_user(chat.owner_id).seq
    assert give_back(claim)
    (updated,) = channel.named("message.updated")
    assert (updated.data["status"], updated.data["seq"], updated.data["attempt"]) == ("pending", cursor + 1, 1)
    (changed,) = me.get(f"/sync?after={cursor}").json["messages"]
    assert changed == updated.data
    before = everything()
    assert not give_back(claim)
    assert everything() == before


def test_its_cost_depends_on_what_changed(user: User, chat: ChatSession, monkeypatch: pytest.MonkeyPatch) -> None:
    others = a_user()
    with write_unit() as unit:
        execute(insert(messages), [row_of(chat, position, position) for position in range(3000)])
        many = [{"owner_id": others.id, "seq": seq, "seen_seq": seq} for seq in range(1000)]
        execute(insert(chat_sessions), many)
        unit.execute(text("UPDATE users SET seq = 3000"))
    with write_unit() as unit:
        unit.execute(text("ANALYZE"))
    db.engine.dispose()  # SQLite reads the counts once per connection
    plans = plans_of(monkeypatch, lambda: changes_since(user.id, 2990, 50))
    assert len(plans) == 5
    for steps in plans:
        assert not re.search(r"Seq Scan on (messages|chat_sessions)", steps), steps
        assert not re.search(r"SCAN (messages|chat_sessions)(?! USING)", steps), steps
    assert sum(bool(re.search(r"owner_id ?= ?.* AND \(?seq ?>", steps)) for steps in plans) == 3


def plans_of(monkeypatch: pytest.MonkeyPatch, act: Callable[[], Any]) -> list[str]:
    """The database's plan of each statement."""
    seen: list[tuple[str, Any]] = []
    bind = _Plan.bind

    def noted(self: _Plan, values: Any) -> Any:
        seen.append((self.sql, bind(self, values)))
        return seen[-1][1]

    monkeypatch.setattr(_Plan, "bind", noted)
    act()
    return [plan(*statement) for statement in seen]


def plan(sql: str, values: Any) -> str:
    explain = {"sqlite": "EXPLAIN QUERY PLAN ", "postgresql": "EXPLAIN "}[db.engine.dialect.name]
    with db.engine.connect() as connection:
        cursor = connection.connection.cursor()
        return "\n".join(str(row[-1]) for row in cursor.execute(explain + sql, values).fetchall())
