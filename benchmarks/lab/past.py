"""A database of one user with a past, and a client of that user."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from flask.testing import FlaskClient
from sqlalchemy import insert, text, update

from benchmarks.lab.limits import NO_LIMITS
from benchmarks.lab.processes import BOTH_CORES, Processes
from benchmarks.lab.signed_in import signed_in
from benchmarks.lab.systems import migrate_once_it_is_up, start_postgres, start_redis
from shared.actions.accounts.create import create_account
from shared.database.tables import db
from shared.database.units import execute, write_unit
from shared.models.chat import chat_sessions
from shared.models.message import messages
from shared.models.status import MessageType, Status
from shared.models.user import users

#: The team has every chat, the document has those that are not archived, and the repository has ten.
TEAM, DOCUMENT, REPO = (f"0000000{kind}-0000-7000-8000-000000000000" for kind in (3, 4, 5))
IN_REPO = 10
#: Versions of the last reply of the first chat.
VERSIONS = 5
_ENV = {"HOLDFAST_ENV": "test", "SECRET_KEY": "benchmark" * 5, "HOLDFAST_MAX_WAITING_REPLIES": "10000", **NO_LIMITS}
_BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
_IN_OTHERS = 2  # messages of each other chat
_BATCH = 5_000  # rows of one statement


class Past(NamedTuple):
    """How many chats the user has, and how many messages the first of them shows."""

    chats: int
    messages: int

    @property
    def in_first(self) -> int:
        """The rows of the first chat. The last ones are versions that are not shown."""
        return self.messages + VERSIONS - 1

    @property
    def last_seq(self) -> int:
        """The rows of all chats, and the newest number of `seq`."""
        return self.in_first + (self.chats - 1) * _IN_OTHERS


@contextmanager
def client_of(past: Past, database: str, folder: Path) -> Iterator[FlaskClient]:
    """A client of a user with such a past, in a database with nobody else. No worker runs."""
    folder.mkdir(mode=0o755)
    processes = Processes(folder, cores=BOTH_CORES)
    url = start_postgres(processes) if database == "postgresql" else f"sqlite:///{folder}/db.sqlite"
    migrate_once_it_is_up(url)
    environment = {"DATABASE_URL": url, "REDIS_URL": start_redis(processes), **_ENV}
    with signed_in(processes, environment, lambda: _filled_for(past)) as client:
        yield client


def _filled_for(past: Past) -> str:
    """The id of a new user with this past."""
    user_id = create_account("bench@example.org", "no password fits this").id
    _fill(user_id, past)
    return user_id


def chat_id(number: int) -> str:
    """The id of a chat, counted from 1. The first one has most of the messages."""
    return f"00000001-0000-7000-8000-{number:012x}"


def message_id(number: int) -> str:
    """The id of a message, counted from 1. Those of the first chat come first, each question before its reply."""
    return f"00000002-0000-7000-8000-{number:012x}"


def _fill(user_id: str, past: Past) -> None:
    for table, rows in ((chat_sessions, _chats(user_id, past)), (messages, _messages(user_id, past))):
        while some := list(islice(rows, _BATCH)):
            with write_unit():
                execute(insert(table), some)
    with write_unit():
        execute(update(users).values(seq=past.last_seq))
        if db.engine.dialect.name == "postgresql":  # as PostgreSQL's own autovacuum would, a minute later
            execute(text("ANALYZE"))


def _chats(user_id: str, past: Past) -> Iterator[dict[str, Any]]:
    """Each second chat is archived. The newest one has the highest number."""
    for number in range(1, past.chats + 1):
        archived, at = number % 2 == 0, _BEGAN + timedelta(minutes=number)
        yield {
            "id": chat_id(number),
            "display_id": f"c-{number}",
            "owner_id": user_id,
            "title": f"The title of the chat with the number {number}",
            "settings": {},
            "next_position": past.in_first if number == 1 else _IN_OTHERS,
            "seq": past.in_first + _IN_OTHERS * (number - 1),
            "archived_at": at if archived else None,
            "team_id": TEAM,
            "document_id": None if archived else DOCUMENT,
            "repo_id": REPO if number % (past.chats // IN_REPO) == 0 else None,
            **dict.fromkeys(("created_at", "updated_at", "last_active_at"), at),
        }


def _messages(user_id: str, past: Past) -> Iterator[dict[str, Any]]:
    """A question and its reply by turns. The last reply of the first chat has more versions."""
    for number in range(1, past.last_seq + 1):
        in_first = number <= past.in_first
        version = max(1, number - past.messages + 1) if in_first else 1
        question = min(number - 1, past.messages - 1) if in_first else number - 1
        is_reply = version > 1 or number % 2 == 0
        chat, position = (1, number - 1) if in_first else _place(number - past.in_first - 1)
        at = _BEGAN + timedelta(seconds=number)
        yield {
            "id": message_id(number),
            "chat_session_id": chat_id(chat),
            "owner_id": user_id,
            "position": position,
            "message_type": MessageType.AI_REPORT if is_reply else MessageType.USER,
            "status": Status.COMPLETED,
            "content": "What was said, in about as many words as people use for a question.",
            "reply_to": message_id(question) if is_reply else None,
            "version": version,
            "version_of": message_id(past.messages) if version > 1 else None,
            "shown": version == 1,
            "seq": number,
            **dict.fromkeys(("created_at", "updated_at", "completed_at"), at),
        }


def _place(number: int) -> tuple[int, int]:
    return 2 + number // _IN_OTHERS, number % _IN_OTHERS
