"""The evidence once all is quiet: the answers to clients, the rows, the model's requests, and the tabs' events."""

from collections.abc import Iterable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from sqlalchemy import Engine, Row, select

from shared.models.chat import chat_sessions
from shared.models.credits import credit_entries
from shared.models.idempotency import idempotency_keys
from shared.models.message import messages
from shared.models.user import users
from tests.fake_request import Request
from tests.faults.lab.history import History, Outcome
from tests.faults.lab.people import Witnessed
from tests.faults.lab.witness import Note, notes
from tests.services.sockets import Heard


@dataclass
class Evidence:
    """The evidence about the people of one trial. One transaction read the rows. Row ids are the keys."""

    outcomes: list[Outcome]  # of the posts
    other_calls: list[Outcome]
    users: dict[str, Any]
    messages: dict[str, Any]
    entries: list[Any]
    keys: list[Any]
    notes: list[Note]
    requests: list[Request]
    heard: dict[str, list[Heard]]
    shown: dict[str, dict[str, dict[str, Any]]]  # for each person, the messages that REST lists, by id
    chats: dict[str, Any]
    synced: dict[str, "Synced"]  # the result of all pages of `GET /sync`, for people who may still ask
    uninvited: list[str]  # the packets of a socket without a valid token
    logs: str

    @property
    def replies(self) -> list[Any]:
        return [row for row in self.messages.values() if row.reply_to is not None]

    @property
    def texts(self) -> list[Outcome]:
        """The calls that brought a text of a person: posts, and edits."""
        return self.outcomes + [call for call in self.other_calls if call.op == "edit"]

    def edits(self, message_id: str) -> list[Outcome]:
        """The edits of this message that may have changed it, in their order."""
        edits = [call for call in self.texts if call.op == "edit" and call.kind != "fail"]
        return [edit for edit in edits if edit.request.endswith(f"/messages/{message_id}")]

    def nonces(self) -> dict[str, str]:
        """The word of the question, by reply id. Empty if the question was deleted before anybody had an answer."""
        told = {outcome.reply_id: outcome.nonce for outcome in self.outcomes if outcome.kind == "ok"}
        stored = {call.content: call.nonce for call in self.texts}
        questions = {reply.id: self.messages.get(reply.reply_to) for reply in self.replies}
        return {
            reply_id: stored.get(row.content if row else "") or told.get(reply_id, "")
            for reply_id, row in questions.items()
        }

    def asked(self, nonce: str) -> list[Request]:
        return [request for request in self.requests if nonce and nonce in request.question]


@dataclass
class Synced:
    """The knowledge of a client that read every page of `GET /sync`: its rows by id, its money, its cursor."""

    rows: dict[str, dict[str, Any]]
    credits: dict[str, int]
    cursor: int


def gather(
    engine: Engine,
    people: list[Witnessed],
    history: History,
    requests: list[Request],
    uninvited: list[str],
    logs: str,
) -> Evidence:
    return Evidence(
        **stored(engine, [person.id for person in people]),
        outcomes=history.posts,
        other_calls=[outcome for outcome in history.outcomes if outcome.op != "post"],
        requests=list(requests),
        heard={person.id: list(person.tab.heard) for person in people},
        shown={person.id: {shown["id"]: shown for shown in _all_shown(person)} for person in people},
        synced={person.id: synced for person in people if (synced := _follow(person))},
        uninvited=uninvited,
        logs=logs,
    )


def stored(engine: Engine, ids: list[str]) -> dict[str, Any]:
    """The part of the evidence that the database has about these users."""
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        found_users = connection.execute(select(users).where(users.c.id.in_(ids))).all()
        found = connection.execute(select(messages).where(messages.c.owner_id.in_(ids)).order_by(messages.c.id)).all()
        entries = connection.execute(select(credit_entries).where(credit_entries.c.user_id.in_(ids))).all()
        chats = connection.execute(select(chat_sessions).where(chat_sessions.c.owner_id.in_(ids))).all()
        keys = connection.execute(select(idempotency_keys).where(idempotency_keys.c.user_id.in_(ids))).all()
    whose = {*ids, *(row.id for row in found)}
    return {
        "users": _by_id(found_users),
        "messages": _by_id(found),
        "entries": _facts(entries),
        "keys": _facts(keys),
        "notes": [note for note in notes(engine) if note.whose in whose],
        "chats": _by_id(chats),
    }


def open_replies(engine: Engine, people: list[Witnessed]) -> int:
    """The number of replies of these people that are not final."""
    ids = [person.id for person in people]
    is_open = select(messages.c.id).where(messages.c.owner_id.in_(ids), messages.c.status.in_(("pending", "running")))
    with engine.connect() as connection:
        return len(connection.execute(is_open).all())


def rows_of(engine: Engine, outcomes: Iterable[Outcome]) -> list[Any]:
    """The rows of these replies."""
    mine = messages.c.id.in_([outcome.reply_id for outcome in outcomes])
    with engine.connect() as connection:
        return list(connection.execute(select(messages).where(mine)))


def handed_over_again(engine: Engine, reply_id: str) -> bool:
    """Whether a sweeper had to hand this reply over to a worker."""
    with engine.connect() as connection:
        return bool(connection.execute(select(messages.c.handovers).where(messages.c.id == reply_id)).scalar_one())


def _facts(rows: Iterable[Row[Any]]) -> list[Any]:
    return [SimpleNamespace(**row._mapping) for row in rows]


def _by_id(rows: Iterable[Row[Any]]) -> dict[str, Any]:
    return {row.id: row for row in _facts(rows)}


def _all_shown(person: Witnessed) -> list[dict[str, Any]]:
    """Every message of every chat that still exists, as a client reads them anew."""
    found = []
    for chat in person.chats:
        answer = person.http.get(f"/chats/{chat}/messages", params={"limit": 200})
        found += answer.json()["items"] if answer.status_code == 200 else []
    return found


# Numbers per page, so few that most trials have several pages.
_PAGE = 3


def _follow(person: Witnessed) -> Synced | None:
    """Read `GET /sync` to its last page. None if the person is gone, or the person's token has ended."""
    rows: dict[str, dict[str, Any]] = {}
    cursor, has_more = 0, True
    while has_more:
        answer = person.http.get("/sync", params={"after": cursor, "limit": _PAGE})
        if answer.status_code in (401, 403):
            return None
        page = answer.raise_for_status().json()
        rows |= {row["id"]: row for row in page["chats"] + page["messages"]}
        cursor, has_more = page["cursor"], page["hasMore"]
    return Synced(rows, page["credits"], cursor)
