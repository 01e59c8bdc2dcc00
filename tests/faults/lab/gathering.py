"""Gathers the evidence: reads the rows in one transaction, and asks REST and `GET /sync` what clients are told."""

from collections.abc import Iterable, Iterator
from types import SimpleNamespace
from typing import Any

from sqlalchemy import Engine, Row, select

from shared.models.chat import chat_sessions
from shared.models.credits import credit_entries
from shared.models.idempotency import idempotency_keys
from shared.models.message import messages
from shared.models.user import users
from tests.fake_request import Request
from tests.faults.lab.evidence import Evidence, Synced
from tests.faults.lab.history import History, Outcome
from tests.faults.lab.people import Witnessed
from tests.faults.lab.witness import notes


def gather(
    engine: Engine,
    people: list[Witnessed],
    history: History,
    requests: list[Request],
    uninvited: list[str],
    logs: str,
) -> Evidence:
    rows = stored(engine, [person.id for person in people])
    shown = {person.id: {item["id"]: item for item in _all_shown(person, rows["chats"])} for person in people}
    return Evidence(
        **rows,
        outcomes=history.posts,
        other_calls=[outcome for outcome in history.outcomes if outcome.op != "post"],
        requests=list(requests),
        heard={person.id: list(person.tab.heard) for person in people},
        shown=shown,
        versions={root: found for person in people for root, found in _all_versions(person, shown[person.id])},
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


def _all_shown(person: Witnessed, chats: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every message of every chat that still exists, as a client reads them anew."""
    for chat in chats.values():
        if chat.owner_id == person.id:
            yield from _pages(person, f"/chats/{chat.id}/messages")


def _all_versions(person: Witnessed, shown: dict[str, dict[str, Any]]) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """The versions of each shown message that is not the first of its kind."""
    for item in shown.values():
        if item["versionOf"]:
            path = f"/chats/{item['chatSessionId']}/messages/{item['id']}/versions"
            yield item["versionOf"], list(_pages(person, path))


def _pages(person: Witnessed, path: str) -> Iterator[dict[str, Any]]:
    """All items of a list. A list of a deleted chat or person has none."""
    cursor: str | None = None
    while True:
        answer = person.http.get(path, params={"limit": 200} | ({"cursor": cursor} if cursor else {}))
        if answer.status_code != 200:
            return
        page = answer.json()
        yield from page["items"]
        cursor = page["nextCursor"]
        if cursor is None:
            return


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
