"""Accept a message: everything that must not be lost, in one commit."""

import hashlib
from dataclasses import dataclass

import msgspec
from sqlalchemy import bindparam, func, insert, select, update

from shared.actions.dispatch import dispatch
from shared.core import current_link, current_settings
from shared.db import db, db_now, new_id, utc_now, write_unit
from shared.errors import InsufficientCredits, KeyReused, TooManyWaiting
from shared.events import credits_event, message_event, publish
from shared.models import Message
from shared.models.chat import chat_sessions, find_chat, refers_to
from shared.models.credits import HOLD, record
from shared.models.idempotency import IdempotencyKey, idempotency_keys
from shared.models.message import MessageType, Status, messages
from shared.models.user import Account, lock_owner, move
from shared.queues import hand_over

_waiting = (
    select(func.count())
    .select_from(messages)
    .where(
        messages.c.owner_id == bindparam("user_id"),
        messages.c.status.in_([Status.PENDING, Status.RUNNING]),
    )
    .scalar_subquery()
)
_insert_message = insert(messages)
_insert_reply = insert(messages).values(deadline_at=db_now() + bindparam("turn_ms"))


@dataclass(frozen=True)
class Posted:
    """What a post made, or what it had made before if its key was known."""

    message: Message
    reply: Message
    account: Account
    replayed: bool = False


def post_message(user_id: str, chat_ref: str, content: str, model: str, key: str | None) -> Posted:
    """Store a message and the placeholder of its reply, hold the credits, and hand the reply over.

    1. A known Idempotency-Key answers at once, before any other check.
    2. Take the price from the balance, and three numbers of `seq` for three events.
    3. Take two places in the chat.
    4. Store the message, the placeholder, the ledger entry and the key.
    5. Give the reply its turn, if it is free. Commit.
    6. Tell the open tabs, and put the reply on the queue: `workers/reply.py` goes on from there.

    Raises Forbidden, NotFound, InsufficientCredits, TooManyWaiting, KeyReused: then nothing is stored.
    """
    fingerprint = _fingerprint(chat_ref, content, model)
    with write_unit():
        if key and (replay := _replay(user_id, key, fingerprint)):
            return replay
        account = _hold_price(user_id, chat_ref)
        posted = _store(account, chat_ref, content, model)
        if key:
            _remember(key, fingerprint, posted)
        turns = dispatch(user_id)
    _announce(posted)
    hand_over(turns)
    return posted


def _fingerprint(*request: str) -> str:
    return hashlib.sha256(msgspec.json.encode(("POST", *request))).hexdigest()


def _replay(user_id: str, key: str, fingerprint: str) -> Posted | None:
    account = lock_owner(user_id)
    known = db.session.execute(
        select(IdempotencyKey).where(IdempotencyKey.user_id == user_id, IdempotencyKey.key == key)
    ).scalar()
    if known is None:
        return None
    if known.fingerprint != fingerprint:
        raise KeyReused
    made = {
        m.id: m for m in db.session.scalars(select(Message).where(Message.id.in_([known.message_id, known.reply_id])))
    }
    assert account is not None  # a key has a user
    return Posted(made[known.message_id], made[known.reply_id], account, replayed=True)


def _hold_price(user_id: str, chat_ref: str) -> Account:
    price = current_settings().credits_per_reply
    account = move(user_id, events=3, spend=price, hold=price)
    if account is None:
        find_chat(user_id, chat_ref)  # a chat that isn't theirs answers first: it must not depend on money
        raise InsufficientCredits
    return account


def _store(account: Account, chat_ref: str, content: str, model: str) -> Posted:
    settings, now = current_settings(), utc_now()
    message_seq, reply_seq, _ = account.numbers(3)
    chat_id, position = _take_places(account, chat_ref, reply_seq)
    common = {
        "chat_session_id": chat_id,
        "owner_id": account.user_id,
        "version": 1,
        "attempt": 0,
        "created_at": now,
        "updated_at": now,
    }
    message = common | {
        "id": new_id(),
        "position": position,
        "message_type": MessageType.USER,
        "status": Status.COMPLETED,
        "content": content,
        "credits_held": 0,
        "credits_charged": 0,
        "completed_at": now,
        "seq": message_seq,
    }
    reply = common | {
        "id": new_id(),
        "position": position + 1,
        "message_type": MessageType.AI_REPORT,
        "status": Status.PENDING,
        "content": "",
        "reply_to": message["id"],
        "model": model,
        "credits_held": settings.credits_per_reply,
        "credits_charged": 0,
        "seq": reply_seq,
    }
    db.session.execute(_insert_message, message)
    db.session.execute(_insert_reply, reply | {"turn_ms": int(settings.turn_timeout * 1000)})
    record(account.user_id, HOLD, -settings.credits_per_reply, str(reply["id"]))
    return Posted(Message(**message), Message(**reply), account)


def _take_places(account: Account, chat_ref: str, seq: int) -> tuple[str, int]:
    now = utc_now()
    row = db.session.execute(
        update(chat_sessions)
        .where(
            chat_sessions.c.owner_id == account.user_id,
            refers_to(chat_ref),
            chat_sessions.c.deleted_at.is_(None),
        )
        .values(
            next_position=chat_sessions.c.next_position + 2,
            last_active_at=now,
            updated_at=now,
            seq=seq,
        )
        .returning(chat_sessions.c.id, chat_sessions.c.next_position, _waiting.label("waiting")),
        {"user_id": account.user_id},
    ).first()
    if row is None:
        find_chat(account.user_id, chat_ref)  # tells deleted from foreign
        raise AssertionError("find_chat() refuses what the update did not find")
    if row.waiting >= current_settings().max_waiting_replies:
        raise TooManyWaiting
    return row.id, row.next_position - 2


def _remember(key: str, fingerprint: str, posted: Posted) -> None:
    db.session.execute(
        insert(idempotency_keys),
        {
            "user_id": posted.account.user_id,
            "key": key,
            "fingerprint": fingerprint,
            "message_id": posted.message.id,
            "reply_id": posted.reply.id,
        },
    )


def _announce(posted: Posted) -> None:
    link = current_link()
    created = [message_event("message.created", message) for message in (posted.message, posted.reply)]
    with link.trip() as pipe:
        publish(link, pipe, [*created, credits_event(posted.account, posted.account.seq)])
