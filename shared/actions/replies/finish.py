"""Every way a running reply can end, each in one transaction, each guarded by the attempt that wrote it.

A worker whose attempt was replaced, stopped or deleted changes nothing here and tells nobody.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, bindparam, func, update
from sqlalchemy.sql.dml import ReturningUpdate

from shared.actions.queue.dispatch import dispatch, open_replies
from shared.actions.queue.hand_over import hand_over
from shared.actions.queue.parking import park_chat
from shared.actions.replies.claim import Claim
from shared.core import current_link, current_settings
from shared.database.clock import db_now, utc_now
from shared.database.prepared import Prepared, Row
from shared.database.retries import retried
from shared.database.units import commit_lightly, execute, query, write_unit
from shared.errors.replies import ReplyError
from shared.failpoints import reach
from shared.models.chat import chat_sessions
from shared.models.credits import RELEASE, record
from shared.models.message import MessageType, Status, has_status, messages
from shared.models.user import move
from shared.redis import live_text
from shared.wire.events import Event, chat_event, credits_event, message_event, publish

#: Milliseconds past its deadline after which a worker that still renews is taken to hang. More than a lease, for as
#: long it may insist on ending the reply itself while the database is away.
HUNG_AFTER = 60_000
#: When an ending is allowed. A worker's own: it still holds the reply with this attempt.
WRITING = (messages.c.attempt == bindparam("of_attempt")) & has_status(Status.RUNNING)
#: The sweeper's: the worker stopped renewing, or nobody took the reply in time.
LAPSED = has_status(Status.RUNNING) & (messages.c.lease_until < db_now())
HUNG = has_status(Status.RUNNING) & (messages.c.deadline_at < db_now() - HUNG_AFTER)
OVERDUE = has_status(Status.PENDING) & (messages.c.deadline_at < db_now())
#: Of those, the ones that never had a turn.
_UNTRIED = (messages.c.dispatched_at.is_(None)) & (messages.c.attempt == 0)

_touch_chat = Prepared(
    update(chat_sessions)
    .where(chat_sessions.c.id == bindparam("chat_id"))
    .values(last_active_at=bindparam("at"), updated_at=bindparam("at"), seq=bindparam("new_seq"))
    .returning(open_replies)
)


class Superseded(Exception):
    """This attempt no longer owns the reply; whoever does will end it."""


Guard = ColumnElement[bool]


@dataclass(frozen=True)
class Answer:
    """What an attempt brought: the text, in how many deltas it went out, and what the model said of it."""

    text: str
    next_index: int = 0
    model: str | None = None
    finish_reason: str | None = None
    tokens_in: int | None = None
    tokens_out: int | None = None


_reply = update(messages).where(messages.c.id == bindparam("reply_id"))
# If a crash of the database takes it back, the reply runs again as after any crash.
_first_text = Prepared(
    _reply.where(WRITING).values(first_text_at=bindparam("at")).returning(messages.c.id, commit_lightly())
)
_end = _reply.values(
    content=bindparam("text"),
    live_index=bindparam("next_index"),
    lease_until=None,
    completed_at=bindparam("at"),
    updated_at=bindparam("at"),
    seq=bindparam("new_seq"),
).returning(*messages.c)
_complete = Prepared(
    _end.where(WRITING).values(
        status=Status.COMPLETED,
        credits_charged=messages.c.credits_held,
        first_text_at=func.coalesce(messages.c.first_text_at, bindparam("at")),
        model=bindparam("said_model"),
        finish_reason=bindparam("reason"),
        tokens_in=bindparam("said_tokens_in"),
        tokens_out=bindparam("said_tokens_out"),
    )
)
_fail = _end.values(
    status=Status.FAILED,
    message_type=MessageType.AI_ERROR,
    error_code=bindparam("code"),
    failures=messages.c.failures + 1,
)
_cancel = _end.where(OVERDUE, _UNTRIED).values(status=Status.CANCELLED)
_give_back = (
    _reply.where(messages.c.failures + 1 < bindparam("most_failures"))
    .values(
        status=Status.PENDING,
        failures=messages.c.failures + 1,
        lease_until=None,
        dispatched_at=None,
        not_before=db_now() + bindparam("pause_ms"),
        updated_at=bindparam("at"),
        seq=bindparam("new_seq"),
    )
    .returning(*messages.c)
)
_fail_when: dict[Guard, ReturningUpdate[Any]] = {when: _fail.where(when) for when in (WRITING, LAPSED, HUNG, OVERDUE)}
_give_back_when: dict[Guard, ReturningUpdate[Any]] = {
    WRITING: _give_back.where(WRITING).values(claimed_by=None),
    LAPSED: _give_back.where(LAPSED),  # the name stays: whoever claims it next knows that its worker died
}


def note_first_text(claim: Claim) -> None:
    """Record that the user is about to see text: from here on a model failure is final. Raises Superseded."""
    if not query(_first_text, _names(claim) | {"at": utc_now()}):
        raise Superseded


def complete_reply(claim: Claim, answer: Answer) -> None:
    """Store the whole answer and charge for it. Raises Superseded."""
    said = {
        "said_model": answer.model or claim.model,
        "reason": answer.finish_reason,
        "said_tokens_in": answer.tokens_in,
        "said_tokens_out": answer.tokens_out,
    }
    _finish(claim, _complete, "message.completed", answer, said)


def fail_reply(claim: Claim, error: ReplyError, answer: Answer, when: Guard = WRITING) -> None:
    """Keep the text so far, say why it failed, give the credits back, and park the chat. Raises Superseded."""
    _finish(claim, _fail_when[when], "message.failed", answer, {"code": error.code}, release=True, park=True)


def cancel_untried(claim: Claim) -> None:
    """End a reply that waited for its turn in vain, and give the credits back. Raises Superseded."""
    _finish(claim, _cancel, "message.cancelled", Answer(""), {}, release=True)


@retried
def give_back(claim: Claim, pause: float, when: Guard = WRITING) -> bool:
    """Let it run again after `pause` seconds; False if its failures are used up or it isn't ours any more."""
    return wait_again(claim, _give_back_when[when], {"pause_ms": int(pause * 1000)})


def wait_again(claim: Claim, how: ReturningUpdate[Any], values: dict[str, Any]) -> bool:
    """Turn a running reply back to pending by the statement `how`, and tell it; False if that changes no row.

    Its text stays until the next attempt begins.
    """
    values |= _names(claim) | {"most_failures": current_settings().max_failures, "at": utc_now()}
    with write_unit() as unit:
        account = move(claim.owner_id, events=1)
        assert account is not None  # a reply has an owner, and this costs nothing
        row = execute(how, values | {"new_seq": account.seq}).first()
        if row is None:
            unit.rollback()  # gives the number back
            return False
        turns = dispatch(claim.owner_id)
    link = current_link()
    with link.trip() as pipe:
        publish(link, pipe, [message_event("message.updated", row)])
    hand_over(turns)
    return True


@retried
def _finish(
    claim: Claim,
    ending: ReturningUpdate[Any] | Prepared,
    event: str,
    answer: Answer,
    values: dict[str, Any],
    release: bool = False,
    park: bool = False,
) -> None:
    at, price, numbers = utc_now(), claim.credits_held, 3 if park else 2
    with write_unit():
        account = move(claim.owner_id, events=numbers, spend=-price if release else 0, hold=-price)
        if account is None:
            raise Superseded
        new_seq = account.numbers(numbers)[0]
        values |= {"text": answer.text, "next_index": answer.next_index, "new_seq": new_seq, "at": at}
        row = _guarded(claim, ending, values)
        if release:
            record(claim.owner_id, RELEASE, price, claim.id)
        touch = {"chat_id": claim.chat_session_id, "user_id": claim.owner_id, "at": at, "new_seq": account.seq - 1}
        chat = park_chat(touch, news=True) if park else execute(_touch_chat, touch)[0]
        turns = dispatch(claim.owner_id) if chat.open_replies else []
        reach("before_final_commit")
    reach("after_final_commit")
    parked = [chat_event("chat.updated", chat)] if park else []
    _announce(row, [message_event(event, row, answer.next_index), *parked, credits_event(account, account.seq)])
    hand_over(turns)


def _guarded(claim: Claim, statement: ReturningUpdate[Any] | Prepared, values: dict[str, Any]) -> Row:
    row = execute(statement, _names(claim) | values).first()
    if row is None:
        raise Superseded
    return row


def _names(claim: Claim) -> dict[str, Any]:
    return {"reply_id": claim.id, "of_attempt": claim.attempt}


def _announce(row: Row, events: list[Event]) -> None:
    link = current_link()
    with link.trip() as pipe:
        live_text.close(link, pipe, row.id, row.attempt)
        publish(link, pipe, events)
