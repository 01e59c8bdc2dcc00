"""Accept a message: everything that must not be lost, in one commit."""

from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, bindparam, insert, select, update

from shared.actions.credits.money import NotCovered, hold
from shared.actions.messages.idempotency import Made, PostRequest, recall, remember
from shared.actions.owner_unit import OwnerUnit, owner_unit
from shared.actions.queue.dispatch import PATIENCE, dispatch, open_replies
from shared.actions.replies.states import PLACEHOLDER, POSTED
from shared.core import current_settings
from shared.database.clock import db_now, utc_now
from shared.database.prepared import NoRow, Prepared
from shared.database.retries import retried
from shared.database.tables import new_id
from shared.database.units import execute, query
from shared.errors.requests import InsufficientCredits, InvalidRequest, TooManyWaiting
from shared.failpoints import reach
from shared.models.chat import chat_sessions, find_chat, named_by
from shared.models.message import MESSAGE, MessageRow, messages
from shared.models.user import Account, account_of
from shared.wire.events import credits_event, message_event


@dataclass(frozen=True)
class Posted:
    """The rows that a post made, or had made before if its key was known."""

    message: MessageRow
    reply: MessageRow
    account: Account
    replayed: bool = False


@retried
def post_message(user_id: str, request: PostRequest, key: str | None = None) -> Posted:
    """Store a message and the placeholder of its reply, hold the credits, and hand the reply over.

    1. Lock the owner; take the price from the balance, and three numbers of `seq` for three events.
    2. A known Idempotency-Key answers here, before any refusal, and undoes step 1.
    3. Choose the model, and take two places in the chat.
    4. Store the message and the placeholder.
    5. Give waiting replies their turn, if one is free. Commit.
    6. Tell the open tabs, and put the reply on the queue: `workers/reply.py` goes on from there.

    Raises Unauthenticated, Forbidden, NotFound, InsufficientCredits, TooManyWaiting, KeyReused, InvalidRequest: then
    nothing is stored.
    """
    made = Made(message_id=new_id(), reply_id=new_id())
    price = hold(made.reply_id, current_settings().credits_per_reply)
    try:
        with owner_unit(user_id, events=3, money=price, acting=True, reached="after_commit") as unit:
            before = _made_before(user_id, key, request, made)
            if before:
                unit.undo()
            else:
                posted = _accept(unit, user_id, request, made)
    except NotCovered:
        before = _refuse_unless_known(user_id, key, request)
    if before:
        return _replayed(user_id, before)
    reach("after_hand_over")
    return posted


def _made_before(user_id: str, key: str | None, request: PostRequest, made: Made) -> Made | None:
    """The rows that this key made earlier; None, with the key stored for `made`, if it is new."""
    if key is None or remember(user_id, key, request, made):
        return None
    # a sweeper may forget the key between the two statements: then it is new
    return recall(user_id, key, request) or _made_before(user_id, key, request, made)


def _refuse_unless_known(user_id: str, key: str | None, request: PostRequest) -> Made:
    """Without credits, a known key still answers. A foreign chat is told first: it must not depend on money."""
    if key and (before := recall(user_id, key, request)):
        return before
    _choose_model(request)
    find_chat(user_id, request.chat_ref)
    raise InsufficientCredits


def _accept(unit: OwnerUnit, user_id: str, request: PostRequest, made: Made) -> Posted:
    model = _choose_model(request)
    place = _take_place(unit, user_id, request.chat_ref)
    posted = _store(unit, place, request, made, model)
    created = [message_event("message.created", message) for message in (posted.message, posted.reply)]
    unit.tell(*created, credits_event(unit.account, unit.account.seq))
    unit.hand_over(dispatch(user_id) if place.open_replies else [made.reply_id])
    return posted


def _choose_model(request: PostRequest) -> str:
    settings = current_settings()
    if request.model is not None and request.model not in settings.models:
        raise InvalidRequest(errors={"model": ["GET /config lists the models to choose from."]})
    return request.model or settings.model


def _take_place(unit: OwnerUnit, user_id: str, chat_ref: str) -> "_Place":
    column, ref = named_by(chat_ref)
    values = {"user_id": user_id, "chat_ref": ref, "at": utc_now(), "new_seq": unit.numbers[1]}
    place = execute(_take_places[column], values).first()
    if place is None:
        find_chat(user_id, chat_ref)  # tells a deleted chat from a foreign one
        raise AssertionError("find_chat() refuses a chat that the update did not find")
    if place.open_replies >= current_settings().max_waiting_replies:
        raise TooManyWaiting
    return place


def _store(unit: OwnerUnit, place: "_Place", request: PostRequest, made: Made, model: str) -> Posted:
    at = utc_now()
    message_seq, reply_seq, _ = unit.numbers
    common: dict[str, Any] = _FIRST_VERSION | {
        "chat_session_id": place.id,
        "owner_id": unit.account.user_id,
        "created_at": at,
        "updated_at": at,
    }
    message = MessageRow(
        **common | POSTED,
        id=made.message_id,
        position=place.next_position - 2,
        content=request.content,
        credits_held=0,
        completed_at=at,
        seq=message_seq,
    )
    reply = MessageRow(
        **common | PLACEHOLDER,
        id=made.reply_id,
        position=place.next_position - 1,
        content="",
        reply_to=made.message_id,
        model=model,
        credits_held=current_settings().credits_per_reply,
        seq=reply_seq,
    )
    execute(_insert_both, _named("message", message) | _NO_TURN | _named("reply", reply) | _turn(place))
    return Posted(message, reply, unit.account)


def _named(which: str, row: MessageRow) -> dict[str, Any]:
    return {f"{which}_{name}": value for name, value in row._asdict().items()}


def _turn(place: "_Place") -> dict[str, int | None]:
    """Its turn at once if no reply is before it (D-01). Else dispatch() decides."""
    settings = current_settings()
    if place.open_replies:
        return {"reply_turn_in": None, "reply_deadline_in": int(settings.turn_timeout * 1000), "reply_again_in": None}
    return {
        "reply_turn_in": 0,
        "reply_deadline_in": int(settings.queue_timeout * 1000),
        "reply_again_in": PATIENCE,
    }


def _replayed(user_id: str, before: Made) -> Posted:
    ids = (before.message_id, before.reply_id)
    rows = {row.id: row for row in query(select(*MESSAGE).where(messages.c.id.in_(ids)), row=MessageRow)}
    account = account_of(user_id)
    assert account is not None  # a key has a user
    return Posted(rows[before.message_id], rows[before.reply_id], account, replayed=True)


class _Place(NamedTuple):
    id: str
    next_position: int
    open_replies: int


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
            seen_seq=bindparam("new_seq"),  # the author has seen the chat up to here
        )
        .returning(chat_sessions.c.id, chat_sessions.c.next_position, open_replies),
        _Place,
    )
    for column in ("id", "display_id")
}
_FIRST_VERSION: dict[str, Any] = {
    "version": 1,
    "shown": True,
    "credits_charged": 0,
    "attempt": 0,
    "failures": 0,
    "drains": 0,
    "handovers": 0,
    "live_index": 0,
}
# The columns of MessageRow that a new row may leave empty, but does not always.
_SOMETIMES = ("reply_to", "model", "completed_at")
# Milliseconds from now; None leaves a column empty, as in the user's message.
_NO_TURN = {"message_turn_in": None, "message_deadline_in": None, "message_again_in": None}


def _columns(which: str) -> dict[str, ColumnElement[Any]]:
    given = [name for name in MessageRow._fields if name in _SOMETIMES or name not in MessageRow._field_defaults]
    columns = {name: bindparam(f"{which}_{name}", type_=messages.c[name].type) for name in given}
    return columns | {
        "dispatched_at": db_now() + bindparam(f"{which}_turn_in"),
        "deadline_at": db_now() + bindparam(f"{which}_deadline_in"),
        "hand_over_at": db_now() + bindparam(f"{which}_again_in"),
    }


_insert_both = Prepared(insert(messages).values([_columns("message"), _columns("reply")]), NoRow)
