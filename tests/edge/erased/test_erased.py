"""Erased is erased: after a deletion, no file of the database or of Redis has any of the text."""

import random
import sqlite3
from collections.abc import Callable
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import bindparam, insert, update

from shared.actions.accounts.delete import delete_account
from shared.actions.chats.change import change_chat
from shared.actions.chats.create import create_chat
from shared.actions.chats.delete import delete_chat
from shared.actions.messages.delete import delete_message
from shared.actions.replies.finish import Answer, complete_reply
from shared.actions.upkeep.scrub import scrubs
from shared.core import current_link
from shared.database import files
from shared.database.tables import new_id
from shared.database.units import execute, write_unit
from shared.models.message import messages
from shared.redis.live_text import Piece, append, read
from shared.settings import Settings
from tests.edge.erased.files import DATABASE, LOG, REDIS, Disk
from tests.eventually import eventually
from tests.factories import a_claim, a_post, a_user, on_sqlite_only
from tests.services.redis import RedisServer

pytestmark = on_sqlite_only


@pytest.fixture
def disk(settings: Settings, redis_server: RedisServer) -> Disk:
    return Disk(settings.database_url, redis_server.folder)


class Texts:
    """The texts of a user in one chat. All have the same needle."""

    def __init__(self) -> None:
        self.needle, self.user_id = f"needle{uuid4().hex}", a_user().id
        self.chat = create_chat(self.user_id, f"An old title, {self.needle}")
        change_chat(self.user_id, self.chat.id, f"A title “{self.needle}”")
        self.done = a_post(self.chat, f"é {self.needle} " * 100)
        complete_reply(a_claim(self.done), Answer(f"“{self.needle}” ", finish_reason="stop"))
        self.running = a_post(self.chat, self.needle)
        self.claim = a_claim(self.running)
        self.write()

    def write(self) -> None:
        event = b'["nobody","resync",{}]'
        append(current_link(), [Piece(self.claim.id, self.claim.attempt, f"Live “{self.needle}”", event)])

    def text(self, chance: random.Random) -> str:
        return f"{self.needle} " * chance.choice((1, 2, 18, 50, 90, 230))


def write_much(all_texts: list[Texts], chance: random.Random) -> None:
    """Store messages and placeholders in turn, and let recent ones grow. Rows then move from page to page."""
    stored: list[tuple[Texts, str]] = []
    for _ in range(1000):
        texts = chance.choice(all_texts)
        content = "" if chance.random() < 0.5 else texts.text(chance)
        stored.append((texts, new_id()))
        execute(insert(messages), texts.done.message._replace(id=stored[-1][1], content=content)._asdict())
        for _ in range(2):
            texts, row_id = chance.choice(stored[-60:])
            execute(_write, {"message_id": row_id, "text": texts.text(chance)})


_write = update(messages).where(messages.c.id == bindparam("message_id")).values(content=bindparam("text"))


@pytest.fixture
def texts(core: Flask) -> Texts:
    return Texts()


def delete_both(texts: Texts) -> None:
    for posted in (texts.done, texts.running):
        delete_message(texts.user_id, texts.chat.id, posted.message.id)
    change_chat(texts.user_id, texts.chat.id, "Another title")


DELETIONS: dict[str, Callable[[Texts], object]] = {
    "message": delete_both,
    "chat": lambda texts: delete_chat(texts.user_id, texts.chat.id),
    "account": lambda texts: delete_account(texts.user_id),
}


def scrub_all() -> None:
    places = scrubs()
    for scrub in places.values():
        eventually(scrub.step)


@pytest.mark.parametrize("what", DELETIONS)
def test_nothing_of_what_was_deleted_is_left_in_any_file(texts: Texts, disk: Disk, what: str) -> None:
    others = Texts()
    eventually(lambda: REDIS in disk.has(texts.needle) & disk.has(others.needle), within=5)  # it writes each second
    assert LOG in disk.has(texts.needle)
    DELETIONS[what](texts)
    scrub_all()
    eventually(lambda: disk.has(texts.needle) == set(), within=2)
    assert DATABASE in disk.has(others.needle)
    (kept,) = read(current_link(), [(others.claim.id, 1)])
    assert kept
    assert others.needle in kept.text


def test_no_word_of_a_deleted_text_is_left_in_the_index_of_words(
    texts: Texts, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """FTS5 keeps the words of deleted rows until it merges the parts of its index. It shortens words in front."""
    monkeypatch.setattr(files, "_REWRITTEN", 0)
    others = Texts()
    for written in (texts, others) * 10:
        create_chat(written.user_id, f"{written.needle} {written.needle[::-1]}")
    delete_account(texts.user_id)
    ends = [needle[-20:] for needle in (texts.needle, texts.needle[::-1])]
    assert any(disk.has(end) & {DATABASE, LOG} for end in ends)
    scrub_all()
    assert [disk.has(end) - {REDIS} for end in ends] == [set(), set()]
    assert DATABASE in disk.has(others.needle[-20:])


def test_text_that_moved_within_the_file_is_gone_from_its_old_place_too(texts: Texts, disk: Disk) -> None:
    all_texts = [texts, *(Texts() for _ in range(5))]
    with write_unit():
        write_much(all_texts, random.Random(7))
    for deleted in all_texts[:3]:
        delete_chat(deleted.user_id, deleted.chat.id)
    scrub_all()
    pieces = [deleted.needle[:14] for deleted in all_texts[:3]]  # of an old place, often only a part is left
    assert [disk.has(piece) - {REDIS} for piece in pieces] == [set()] * 3


def test_a_large_database_is_not_written_anew_but_its_deleted_rows_are_zeros(
    texts: Texts, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "_REWRITTEN", 0)
    delete_chat(texts.user_id, texts.chat.id)
    scrub_all()
    eventually(lambda: disk.has(texts.needle) == set(), within=2)


def test_live_text_that_redis_was_not_there_to_drop_is_dropped_later(texts: Texts, disk: Disk) -> None:
    link = current_link()
    link.trip_failed(ConnectionError("Redis is away"))
    delete_chat(texts.user_id, texts.chat.id)
    redis = scrubs()["redis"]
    assert not redis.step()
    link._broken_until = 0.0
    texts.write()  # its worker has not noticed the deletion
    eventually(redis.step)
    eventually(lambda: REDIS not in disk.has(texts.needle), within=2)
    texts.write()
    assert not link.client.exists(link.key("live", texts.claim.id, 1)), "a late piece is refused"


def test_a_reader_delays_the_scrub_and_the_next_try_does_it(texts: Texts, disk: Disk, settings: Settings) -> None:
    database = scrubs()["database"]
    reader = sqlite3.connect(settings.database_url.removeprefix("sqlite:///"), isolation_level=None)
    reader.execute("begin")
    reader.execute("select count(*) from messages").fetchall()
    delete_chat(texts.user_id, texts.chat.id)
    assert not database.step()
    reader.close()
    assert database.step()
    assert disk.has(texts.needle) <= {REDIS}


def test_a_scrub_begins_when_something_was_deleted_and_rests_otherwise(texts: Texts, disk: Disk) -> None:
    database = scrubs()["database"]
    assert database.step()
    change_chat(texts.user_id, texts.chat.id, "Nothing is deleted")
    assert database.step()
    assert LOG in disk.has("Nothing is deleted")
    delete_account(texts.user_id)
    assert database.step()
    assert not disk.has("Nothing is deleted")


@pytest.mark.parametrize("code", ["SQLITE_BUSY_SNAPSHOT", "SQLITE_BUSY_RECOVERY"])
def test_every_kind_of_busy_is_tried_again(texts: Texts, code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_connection: object) -> int:
        error = sqlite3.OperationalError("database is locked")
        error.sqlite_errorcode = getattr(sqlite3, code)
        raise error

    database = scrubs()["database"]
    with monkeypatch.context() as patch:
        patch.setattr(files, "_size", refuse)
        assert not database.step()
    assert database.step()
