"""Accept a message. One commit stores everything that must not be lost."""

from dataclasses import dataclass

from sqlalchemy import bindparam, select

from shared.actions.credits.money import NotCovered, hold
from shared.actions.messages.erase import EMPTY
from shared.actions.messages.idempotency import Made, PostRequest, recall, remember
from shared.actions.messages.store import Place, store_both, take_place
from shared.actions.owner_unit import OwnerUnit, owner_unit
from shared.actions.queue.dispatch import dispatch
from shared.core import current_settings
from shared.database.prepared import Id, Prepared
from shared.database.retries import retried
from shared.database.tables import new_id
from shared.database.units import query
from shared.errors.requests import InsufficientCredits, InvalidRequest, TooManyWaiting
from shared.failpoints import reach
from shared.models.chat import CHAT_DELETED_AT, chat_sessions, find_chat
from shared.models.message import MESSAGE, MessageRow, messages
from shared.models.user import Account, account_of, require_in_use
from shared.wire.events import credits_event, message_event


@dataclass(frozen=True)
class Posted:
    """The rows that a post made now, or earlier if its key was known."""

    message: MessageRow
    reply: MessageRow
    account: Account
    replayed: bool = False


@retried
def post_message(user_id: str, request: PostRequest, key: str | None = None) -> Posted:
    """Store a message and the placeholder of its reply, hold the credits, and hand the reply over.

    1. Lock the owner. Take the price from the balance, and three numbers of `seq` for three events.
    2. If the Idempotency-Key is known, undo step 1 and answer with the earlier rows, before any refusal.
    3. Choose the model, and take two places in the chat.
    4. Store the message and the placeholder.
    5. Give waiting replies their turns, as far as turns are free. Commit.
    6. Tell the open tabs, and put the reply on the queue. `workers/reply.py` goes on from there.

    Raises Unauthenticated, Forbidden, NotFound, InsufficientCredits, TooManyWaiting, KeyReused, InvalidRequest. After
    each of these, nothing is stored.
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


def posted_before(user_id: str, request: PostRequest, key: str | None) -> Posted | None:
    """The rows of a known key, for a user who may post nothing new just now (D-112).

    Raises Unauthenticated, KeyReused.
    """
    require_in_use(user_id)
    before = recall(user_id, key, request) if key else None
    return _replayed(user_id, before) if before else None


def _made_before(user_id: str, key: str | None, request: PostRequest, made: Made) -> Made | None:
    """The rows that this key made earlier. A new key is stored with `made`, and the answer is None."""
    if key is None or remember(user_id, key, request, made):
        return None
    # a sweeper may forget the key between the two statements; then the key is new
    return recall(user_id, key, request) or _made_before(user_id, key, request, made)


def _refuse_unless_known(user_id: str, key: str | None, request: PostRequest) -> Made:
    """Answer with the rows of a known key, even without credits (D-86). Refuse any other post.

    A wrong model and a foreign chat are refused first, so that these answers do not depend on money.
    """
    if key and (before := recall(user_id, key, request)):
        return before
    _choose_model(request)
    find_chat(user_id, request.chat_ref)
    raise InsufficientCredits


def _accept(unit: OwnerUnit, user_id: str, request: PostRequest, made: Made) -> Posted:
    model = _choose_model(request)
    place = _take_place(unit, user_id, request.chat_ref)
    posted = Posted(*store_both(unit, place, request, made, model), unit.account)
    # No event `chat.updated`: a client moves the chat up when it hears the message (D-40).
    created = [message_event("message.created", message) for message in (posted.message, posted.reply)]
    unit.tell(*created, credits_event(unit.account, unit.account.seq))
    unit.hand_over(dispatch(user_id) if place.open_replies else [made.reply_id])
    return posted


def _choose_model(request: PostRequest) -> str:
    settings = current_settings()
    if request.model is not None and request.model not in settings.models:
        raise InvalidRequest(errors={"model": ["GET /config lists the models to choose from."]})
    return request.model or settings.model


def _take_place(unit: OwnerUnit, user_id: str, chat_ref: str) -> Place:
    place = take_place(unit, user_id, chat_ref)
    if place is None:
        find_chat(user_id, chat_ref)  # raises NotFound for a deleted chat, Forbidden for a foreign one
        raise AssertionError("find_chat() refuses a chat that the update did not find")
    if place.open_replies >= current_settings().max_waiting_replies:
        raise TooManyWaiting
    return place


def _replayed(user_id: str, before: Made) -> Posted:
    ids = (before.message_id, before.reply_id)
    rows = {row.id: row for row in query(select(*MESSAGE).where(messages.c.id.in_(ids)), row=MessageRow)}
    if query(_deleted, {"chat_id": rows[before.reply_id].chat_session_id}):
        # the rows may still have their text, which the sweeper erases (D-117)
        rows = {row.id: row._replace(**EMPTY) for row in rows.values()}
    account = account_of(user_id)
    assert account is not None  # a known key belongs to a user
    return Posted(rows[before.message_id], rows[before.reply_id], account, replayed=True)


_deleted = Prepared(
    select(chat_sessions.c.id).where(chat_sessions.c.id == bindparam("chat_id"), CHAT_DELETED_AT.is_not(None)),
    Id,
)
