"""Accept a message: everything that must not be lost, in one commit."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, bindparam, insert, select, update

from shared.actions.messages.idempotency import Made, made_before
from shared.actions.queue.dispatch import dispatch, open_replies
from shared.actions.queue.hand_over import hand_over
from shared.core import current_link, current_settings
from shared.database.clock import db_now, utc_now
from shared.database.prepared import Prepared, Row
from shared.database.retries import retried
from shared.database.tables import new_id
from shared.database.units import execute, query, write_unit
from shared.errors.requests import InsufficientCredits, InvalidRequest, TooManyWaiting
from shared.failpoints import reach
from shared.models.chat import chat_sessions, find_chat, named_by
from shared.models.credits import HOLD, record
from shared.models.message import MessageRow, MessageType, Status, messages
from shared.models.user import Account, account_of, act
from shared.wire.events import credits_event, message_event, publish

_take_places = {
    column: Prepared(
        update(chat_sessions)
        .where(
            chat_sessions.c.owner_id == bindparam("user_id"),
            chat_sessions.c[column] == bindparam("chat_ref"),
            chat_sessions.c.deleted_at.is_(None),
        )
        .values(
            next_position=chat_sessions.c.next_position + 2,
            last_active_at=bindparam("at"),
            updated_at=bindparam("at"),
            parked_at=None,
            seq=bindparam("new_seq"),
            seen_seq=bindparam("new_seq"),  # who writes in a chat has it before them
        )
        .returning(chat_sessions.c.id, chat_sessions.c.next_position, open_replies)
    )
    for column in ("id", "display_id")
}
_GIVEN = """id chat_session_id owner_id position message_type status content reply_to version shown model credits_held
credits_charged seq created_at updated_at completed_at attempt failures drains handovers live_index""".split()  # noqa: SIM905


def _named(which: str) -> dict[str, ColumnElement[Any]]:
    columns = {name: bindparam(f"{which}_{name}", type_=messages.c[name].type) for name in _GIVEN}
    return columns | {  # milliseconds from now, or None for a column that stays empty, as both do in the user's message
        "dispatched_at": db_now() + bindparam(f"{which}_turn_in"),
        "deadline_at": db_now() + bindparam(f"{which}_deadline_in"),
    }


_insert_both = Prepared(insert(messages).values([_named("message"), _named("reply")]))


@dataclass(frozen=True)
class Posted:
    """What a post made, or what it had made before if its key was known."""

    message: Row
    reply: Row
    account: Account
    replayed: bool = False


@retried
def post_message(user_id: str, chat_ref: str, content: str, model: str | None, key: str | None) -> Posted:
    """Store a message and the placeholder of its reply, hold the credits, and hand the reply over.

    1. Lock the owner; take the price from the balance, and three numbers of `seq` for three events.
    2. A known Idempotency-Key answers here, before any refusal, and undoes step 1.
    3. Choose the model, and take two places in the chat.
    4. Store the message, the placeholder and the ledger's entry.
    5. Give waiting replies their turn, if one is free. Commit.
    6. Tell the open tabs, and put the reply on the queue: `workers/reply.py` goes on from there.

    Raises Unauthenticated, Forbidden, NotFound, InsufficientCredits, TooManyWaiting, KeyReused, InvalidRequest: then
    nothing is stored.
    """
    made = Made(message_id=new_id(), reply_id=new_id())
    with write_unit() as unit:
        account = _hold_price(user_id)
        before = (
            made_before(user_id, key, (chat_ref, content, model), made, locked=account is not None) if key else None
        )
        if before:
            unit.rollback()
        else:
            posted, turns = _accept(user_id, account, chat_ref, made, content, model)
    if before:
        return _replayed(user_id, before)
    reach("after_commit")
    _announce(posted)
    hand_over(turns)
    reach("after_hand_over")
    return posted


def _hold_price(user_id: str) -> Account | None:
    price = current_settings().credits_per_reply
    return act(user_id, events=3, spend=price, hold=price)


def _accept(
    user_id: str, account: Account | None, chat_ref: str, made: Made, content: str, wanted: str | None
) -> tuple[Posted, list[str]]:
    model = _model(wanted)
    if account is None:
        find_chat(user_id, chat_ref)  # a chat that isn't theirs answers first: it must not depend on money
        raise InsufficientCredits
    place = _place(account, chat_ref)
    posted = _store(account, place, made, content, model)
    return posted, dispatch(user_id) if place.open_replies else [made.reply_id]


def _model(wanted: str | None) -> str:
    settings = current_settings()
    if wanted is not None and wanted not in settings.models:
        raise InvalidRequest(errors={"model": ["GET /config lists the models to choose from."]})
    return wanted or settings.model


def _replayed(user_id: str, before: Made) -> Posted:
    ids = (before.message_id, before.reply_id)
    rows = {row.id: row for row in query(select(messages).where(messages.c.id.in_(ids)))}
    account = account_of(user_id)
    assert account is not None  # a key has a user
    return Posted(rows[before.message_id], rows[before.reply_id], account, replayed=True)


def _place(account: Account, chat_ref: str) -> Row:
    column, ref = named_by(chat_ref)
    place = execute(
        _take_places[column],
        {"user_id": account.user_id, "chat_ref": ref, "at": utc_now(), "new_seq": account.seq - 1},
    ).first()
    if place is None:
        find_chat(account.user_id, chat_ref)  # tells deleted from foreign
        raise AssertionError("find_chat() refuses what the update did not find")
    if place.open_replies >= current_settings().max_waiting_replies:
        raise TooManyWaiting
    return place


def _store(account: Account, place: Row, made: Made, content: str, model: str) -> Posted:
    settings, now = current_settings(), utc_now()
    message_seq, reply_seq, _ = account.numbers(3)
    common = {
        "chat_session_id": place.id,
        "owner_id": account.user_id,
        "version": 1,
        "shown": True,
        "attempt": 0,
        "failures": 0,
        "drains": 0,
        "handovers": 0,
        "live_index": 0,
        "credits_charged": 0,
        "created_at": now,
        "updated_at": now,
    }
    message = common | {
        "id": made.message_id,
        "position": place.next_position - 2,
        "message_type": MessageType.USER,
        "status": Status.COMPLETED,
        "content": content,
        "credits_held": 0,
        "reply_to": None,
        "model": None,
        "completed_at": now,
        "seq": message_seq,
    }
    reply = common | {
        "id": made.reply_id,
        "position": place.next_position - 1,
        "message_type": MessageType.AI_REPORT,
        "status": Status.PENDING,
        "content": "",
        "reply_to": made.message_id,
        "model": model,
        "credits_held": settings.credits_per_reply,
        "completed_at": None,
        "seq": reply_seq,
    }
    both = {"message": message | {"turn_in": None, "deadline_in": None}, "reply": reply | _turn(place)}
    execute(_insert_both, {f"{which}_{name}": value for which, row in both.items() for name, value in row.items()})
    record(account.user_id, HOLD, -settings.credits_per_reply, made.reply_id)
    return Posted(MessageRow(**message), MessageRow(**reply), account)


def _turn(place: Row) -> dict[str, int | None]:
    """Its turn at once if nobody is before it; else dispatch() decides."""
    settings = current_settings()
    if place.open_replies:
        return {"turn_in": None, "deadline_in": int(settings.turn_timeout * 1000)}
    return {"turn_in": 0, "deadline_in": int(settings.queue_timeout * 1000)}


def _announce(posted: Posted) -> None:
    link = current_link()
    created = [message_event("message.created", message) for message in (posted.message, posted.reply)]
    with link.trip() as pipe:
        publish(link, pipe, [*created, credits_event(posted.account, posted.account.seq)])
