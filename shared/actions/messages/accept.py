"""Accept a request that makes messages: a post, and each verb that asks for another reply.

One commit stores everything that must not be lost. A module of each verb says how the verb differs (D-142).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from sqlalchemy import bindparam, select

from shared.actions.chats.change import note_quietly, unarchive
from shared.actions.credits.money import NOTHING, NotCovered, hold
from shared.actions.messages.erase import EMPTY
from shared.actions.messages.idempotency import Made, Request, made_before, recall
from shared.actions.messages.store import Stored
from shared.actions.messages.versions import set_shown
from shared.actions.owner_unit import OwnerUnit, owner_unit
from shared.actions.queue.dispatch import dispatch, next_turns
from shared.core import current_settings
from shared.database.prepared import Id, Prepared
from shared.database.retries import retried
from shared.database.tables import new_id
from shared.database.units import query
from shared.errors.requests import InsufficientCredits
from shared.failpoints import reach
from shared.models.chat import CHAT_DELETED_AT, chat_sessions
from shared.models.message import MESSAGE, MessageRow, messages
from shared.models.user import Account, account_of, require_in_use
from shared.wire.events import credits_event, message_event

R = TypeVar("R", bound=Request)


@dataclass(frozen=True)
class Verb(Generic[R]):
    """The differences of one kind of request from the others."""

    #: Refuse a request that no balance could pay for. Such an answer must not depend on money.
    check: Callable[[str, R], object]
    #: Store the rows in the unit of the request, with these new ids. Raises the same errors as `check`, and more.
    store: Callable[[OwnerUnit, R, Made], Stored]
    #: Whether it makes a message, and whether it makes a reply.
    message: bool = True
    reply: bool = True


@dataclass(frozen=True)
class Posted:
    """The message and the reply that a request made now, or earlier if its key was known. Some requests make one."""

    message: MessageRow
    reply: MessageRow | None
    account: Account
    replayed: bool = False
    #: How many replies are ahead of this one, if the request found that out.
    ahead: int | None = None


@retried
def accept(verb: Verb[R], user_id: str, request: R, key: str | None = None) -> Posted:
    """Store the rows of a request, hold the credits of its reply, and hand the reply over.

    1. Lock the owner. Take the price from the balance, and a number of `seq` for each event.
    2. If the Idempotency-Key is known, undo step 1 and answer with the earlier rows, before any refusal.
    3. The verb takes places in the chat, and stores its rows.
    4. If the request interrupts, stop the reply that runs in the chat, and go before the others that wait there.
    5. Give waiting replies their turns, as far as turns are free. Hide the versions that the rows replace. Commit.
    6. Tell the open tabs, and put the reply on the queue. `workers/reply.py` goes on from there.

    Raises Unauthenticated, Forbidden, NotFound, InsufficientCredits, TooManyWaiting, KeyReused, InvalidRequest, and
    the errors of the verb. After each of these, nothing is stored.
    """
    made = Made(message_id=new_id() if verb.message else None, reply_id=new_id() if verb.reply else None)
    price = hold(made.reply_id, current_settings().credits_per_reply) if made.reply_id else NOTHING
    events = verb.message + 2 * verb.reply  # the reply has a second one for its credits
    try:
        with owner_unit(user_id, events=events, money=price, acting=True, reached="after_commit") as unit:
            before = made_before(user_id, key, request, made)
            if before:
                unit.undo()
            else:
                posted = _accepted(verb, unit, request, made)
    except NotCovered:
        before = _refuse_unless_known(verb, user_id, request, key)
    if before:
        return _replayed(user_id, before)
    reach("after_hand_over")
    return posted


def accepted_before(user_id: str, request: Request, key: str | None) -> Posted | None:
    """The rows of a known key, for a user who may post nothing new just now (D-112).

    Raises Unauthenticated, KeyReused.
    """
    require_in_use(user_id)
    before = recall(user_id, key, request) if key else None
    return _replayed(user_id, before) if before else None


def _accepted(verb: Verb[R], unit: OwnerUnit, request: R, made: Made) -> Posted:
    credits_seq = unit.numbers[-1]
    stored = verb.store(unit, request, made)
    new = [row for row in (stored.message, stored.reply) if row and row.id in (made.message_id, made.reply_id)]
    # No event `chat.updated` of a post: a client moves the chat up when it hears the message (D-40).
    unit.tell(*(message_event("message.created", row) for row in new))
    if made.reply_id:
        unit.tell(credits_event(unit.account, credits_seq))
    if stored.archived:
        unarchive(unit, stored.message.chat_session_id)
    elif stored.reply is None:
        note_quietly(unit, stored.message.chat_session_id)  # it ends no parking, and its author has read it (D-216)
    if made.reply_id:
        stored = _with_turns(unit, stored, made.reply_id)
    set_shown(unit, hide=stored.replaces)
    return Posted(stored.message, stored.reply, unit.account, ahead=stored.ahead)


def _with_turns(unit: OwnerUnit, stored: Stored, reply_id: str) -> Stored:
    """Make way for the new reply, and give turns. Returns the rows as they are then."""
    user_id = unit.account.user_id
    if not stored.make_way:
        unit.hand_over(dispatch(user_id) if stored.open_replies else [reply_id])
        return stored
    moved = stored.make_way(unit)
    unit.hand_over(next_turns(user_id))
    reply = stored.reply and moved.get(reply_id, stored.reply)
    return stored._replace(message=moved.get(stored.message.id, stored.message), reply=reply)


def _refuse_unless_known(verb: Verb[R], user_id: str, request: R, key: str | None) -> Made:
    """Answer with the rows of a known key, even without credits (D-86). Refuse any other request."""
    if key and (before := recall(user_id, key, request)):
        return before
    verb.check(user_id, request)
    raise InsufficientCredits


def _replayed(user_id: str, before: Made) -> Posted:
    rows = {row.id: row for row in _rows(before.message_id, before.reply_id)}
    reply = rows.get(before.reply_id or "")
    message = rows.get(before.message_id or "") or _rows(reply.reply_to if reply else None)[0]
    if query(_deleted, {"chat_id": message.chat_session_id}):
        # the rows may still have their text, which the sweeper erases (D-117)
        message, reply = message._replace(**EMPTY), reply._replace(**EMPTY) if reply else None
    account = account_of(user_id)
    assert account is not None  # a known key belongs to a user
    return Posted(message, reply, account, replayed=True)


def _rows(*ids: str | None) -> list[MessageRow]:
    return query(select(*MESSAGE).where(messages.c.id.in_([one for one in ids if one])), row=MessageRow)


_deleted = Prepared(
    select(chat_sessions.c.id).where(chat_sessions.c.id == bindparam("chat_id"), CHAT_DELETED_AT.is_not(None)),
    Id,
)
