"""The endings of a reply by a worker or the sweeper. Each is one transaction with a guard of `states.py`.

A worker's ending names its attempt. If that attempt was superseded, stopped or deleted, the ending changes nothing and
publishes no event.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import bindparam, update

from shared.actions.chats.title import WANTS_TITLE
from shared.actions.credits.money import Money, NotCovered, charge, release
from shared.actions.owner_unit import OwnerUnit, owner_unit
from shared.actions.queue.dispatch import dispatch, next_turns, open_replies
from shared.actions.queue.hand_over import hand_over
from shared.actions.queue.parking import park_chat
from shared.actions.replies.claim import Claim
from shared.actions.replies.states import CANCEL_UNTRIED, COMPLETE, FAIL, WRITING, Guard
from shared.core import current_settings
from shared.database.clock import utc_now
from shared.database.prepared import Prepared
from shared.database.retries import retried
from shared.database.units import commit_lightly, execute, query
from shared.errors.replies import ReplyError
from shared.failpoints import reach
from shared.models.chat import chat_sessions
from shared.models.message import MessageRow, messages
from shared.redis.queues import TITLES
from shared.wire.events import chat_event, credits_event, message_event


class Superseded(Exception):
    """This attempt no longer owns the reply. Another program ends the reply, or has ended it."""


@dataclass(frozen=True)
class Answer:
    """The text of an attempt, the index after its last delta, and the model's facts about the text."""

    text: str
    next_index: int = 0
    model: str | None = None
    finish_reason: str | None = None
    tokens_in: int | None = None
    tokens_out: int | None = None


def complete_reply(claim: Claim, answer: Answer) -> None:
    """Store the whole answer and charge for it. Raises Superseded."""
    said = {
        "said_model": answer.model or claim.model,
        "reason": answer.finish_reason,
        "said_tokens_in": answer.tokens_in,
        "said_tokens_out": answer.tokens_out,
    }
    untitled = _end(claim, _Ending(COMPLETE, "message.completed", said), answer, charge(claim.credits_held))
    if untitled and current_settings().makes_titles:
        hand_over([claim.chat_session_id], TITLES)


def fail_reply(claim: Claim, error: ReplyError, answer: Answer, when: Guard = Guard.WRITING) -> None:
    """Keep the text so far, store the error, give the credits back, and park the chat. Raises Superseded."""
    _end(claim, _Ending(FAIL[when], "message.failed", {"code": error.code}, parks=True), answer, _release(claim))


def cancel_untried(claim: Claim) -> None:
    """End a reply that never got its turn, and give the credits back. A kept text stays. Raises Superseded."""
    _end(claim, _Ending(CANCEL_UNTRIED, "message.cancelled", {}), Answer(claim.kept), _release(claim))


def note_first_text(claim: Claim) -> None:
    """Record that the user is about to see text. From then on, a model failure is final. Raises Superseded."""
    if not query(_first_text, {"reply_id": claim.id, "of_attempt": claim.attempt, "at": utc_now()}):
        raise Superseded


@dataclass(frozen=True)
class _Ending:
    transition: Prepared[MessageRow]
    event: str
    values: dict[str, Any]
    parks: bool = False


@retried
def _end(claim: Claim, ending: _Ending, answer: Answer, money: Money) -> bool:
    """Whether the chat wants a title of this reply."""
    try:
        with owner_unit(
            claim.owner_id, events=3 if ending.parks else 2, money=money, reached="after_final_commit"
        ) as unit:
            untitled = _store(unit, claim, ending, answer)
            reach("before_final_commit")
    except NotCovered as error:  # the hold is gone: another program has ended the reply
        raise Superseded from error
    return untitled


def _store(unit: OwnerUnit, claim: Claim, ending: _Ending, answer: Answer) -> bool:
    at = utc_now()
    names = {"reply_id": claim.id, "of_attempt": claim.attempt, "at": at, "new_seq": unit.numbers[0]}
    text = {"text": answer.text, "next_index": answer.next_index}
    reply = execute(ending.transition, names | text | ending.values).first()
    if reply is None:
        raise Superseded
    unit.close_live_text(reply.id, reply.attempt)
    unit.tell(message_event(ending.event, reply, answer.next_index))
    touch = {"chat_id": claim.chat_session_id, "user_id": claim.owner_id, "at": at, "new_seq": unit.numbers[-2]}
    untitled = False
    if ending.parks:
        unit.tell(chat_event("chat.updated", park_chat(touch, news=True)))
        unit.hand_over(next_turns(claim.owner_id))
    else:
        chat = execute(_touch_chat, touch | {"completed": int(ending.transition is COMPLETE)})[0]
        untitled = chat.untitled and ending.transition is COMPLETE
        if chat.open_replies:  # with no open reply, dispatch() could give no turn (D-01)
            unit.hand_over(dispatch(claim.owner_id))
    unit.tell(credits_event(unit.account, unit.account.seq))
    return untitled


def _release(claim: Claim) -> Money:
    return release({claim.id: claim.credits_held})


class _FirstText(NamedTuple):
    id: str
    committed: str | None


class _Touched(NamedTuple):
    open_replies: int
    untitled: bool


# The commit does not wait for the disk. If a crash of the database server loses the note, the reply runs again.
_first_text = Prepared(
    update(messages)
    .where(messages.c.id == bindparam("reply_id"), WRITING)
    .values(first_text_at=bindparam("at"))
    .returning(messages.c.id, commit_lightly().label("committed")),
    _FirstText,
)
_touch_chat = Prepared(
    update(chat_sessions)
    .where(chat_sessions.c.id == bindparam("chat_id"))
    .values(
        last_active_at=bindparam("at"),
        updated_at=bindparam("at"),
        seq=bindparam("new_seq"),
        title_tries=chat_sessions.c.title_tries + bindparam("completed"),
    )
    .returning(open_replies, WANTS_TITLE.label("untitled")),
    _Touched,
)
