"""Ways to tamper with the evidence of a clean run, each of which the checker has to notice."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from functools import partial
from types import SimpleNamespace
from typing import Any

from tests.faults.evidence import Evidence
from tests.faults.witness import Note
from tests.services.sockets import Heard


def _other(seen: Evidence) -> str:
    """Somebody else than the person of the completed replies."""
    return next(user for user in seen.heard if user != _reply(seen).owner_id)


def _reply(seen: Evidence, status: str = "completed") -> Any:
    return next(reply for reply in seen.replies if reply.status == status)


def _question(seen: Evidence) -> Any:
    return seen.messages[_reply(seen).reply_to]


def add_note(seen: Evidence, what: str, was: str, now: str) -> None:
    reply = _reply(seen)
    seen.notes.append(
        Note(what, reply.owner_id if what in ("ledger", "ledger changed", "removed") else reply.id, was, now)
    )


def _entry(seen: Evidence, kind: str, delta: int) -> None:
    reply = _reply(seen)
    seen.entries.append(SimpleNamespace(user_id=reply.owner_id, kind=kind, ref=reply.id, delta=delta))


def _hear(seen: Evidence, name: str, **data: Any) -> None:
    seen.heard[_reply(seen).owner_id].append(Heard(name, data))


def _forget_reply(seen: Evidence) -> None:
    del seen.messages[_reply(seen).id]


def _second_reply(seen: Evidence) -> None:
    seen.messages["another"] = SimpleNamespace(**vars(_reply(seen)) | {"id": "another"})


def _second_message(seen: Evidence) -> None:
    seen.messages["another"] = SimpleNamespace(**vars(_question(seen)) | {"id": "another"})


def stuck(seen: Evidence) -> None:
    _reply(seen).status = "running"


def _poorer(seen: Evidence) -> None:
    seen.users[_reply(seen).owner_id].credits -= 3


def _hold_more(seen: Evidence) -> None:
    seen.users[_reply(seen).owner_id].held += 3


def _without(seen: Evidence, kind: str) -> None:
    seen.entries.remove(next(entry for entry in seen.entries if entry.kind == kind))


def _stopped(content: str, charged: int) -> Callable[[Evidence], None]:
    """Each entry of the ledger is as it would be, so that only the price itself is wrong."""

    def stop(seen: Evidence) -> None:
        reply = _reply(seen)
        reply.status, reply.content, reply.credits_charged = "cancelled", content, charged
        if not charged:
            _entry(seen, "release", reply.credits_held)

    return stop


def _changed_text(seen: Evidence) -> None:
    _reply(seen).content = "word0@1 word0@2 "


def _earlier_answer(seen: Evidence) -> None:
    request = next(request for request in seen.requests if request.question == _question(seen).content)
    seen.requests.append(replace(request, number=2, opened_at=request.closed_at or 0.0))
    _reply(seen).attempt, _reply(seen).failures = 2, 1


def _foreign_event(seen: Evidence) -> None:
    delta = {"messageId": _reply(seen).id, "attempt": 1, "index": 0, "text": "word0@1 "}
    seen.heard[_other(seen)].append(Heard("message.delta", delta))


def _unshown(seen: Evidence) -> None:
    del seen.shown[_reply(seen).owner_id][_reply(seen).id]


def _untold(seen: Evidence) -> None:
    del seen.synced[_reply(seen).owner_id].rows[_reply(seen).id]


def _told_too_early(seen: Evidence) -> None:
    seen.synced[_reply(seen).owner_id].rows[_reply(seen).id]["status"] = "running"


def _foreign_chat(seen: Evidence) -> None:
    chat = _reply(seen).chat_session_id
    seen.heard[_other(seen)].append(Heard("chat.deleted", {"id": chat, "seq": 1}))


def _foreign_money(seen: Evidence) -> None:
    own = next(event for event in seen.heard[_reply(seen).owner_id] if event.name == "credits.changed")
    seen.heard[_other(seen)].append(Heard("credits.changed", own.data | {"balance": own.data["balance"] - 1}))


def _two_requests_at_once(seen: Evidence) -> None:
    request = next(request for request in seen.requests if request.question == _question(seen).content)
    seen.requests.append(replace(request, opened_at=request.opened_at + 1e-4, closed_at=(request.closed_at or 0) + 1))


def _second_use_of_a_key(seen: Evidence) -> None:
    outcome = deepcopy(next(outcome for outcome in seen.outcomes if outcome.key == "once"))
    outcome.body["message"]["id"] = next(m for m in seen.messages if m != outcome.message_id)
    seen.outcomes.append(outcome)


def _server_error(seen: Evidence) -> None:
    outcome = deepcopy(seen.outcomes[0])
    outcome.status, outcome.body = 500, None
    seen.outcomes.append(outcome)


def _unavailable(seen: Evidence) -> None:
    seen.outcomes.append(replace(seen.outcomes[0], status=503, body=None, retry_after=None))


def _set(what: Callable[[Evidence], Any], **values: Any) -> Callable[[Evidence], None]:
    """Have some row, call or request say something else."""
    return lambda seen: vars(what(seen)).update(values)


def _request(seen: Evidence) -> Any:
    return next(request for request in seen.requests if request.question == _question(seen).content)


def _never_asked(seen: Evidence) -> None:
    seen.requests.remove(_request(seen))


def _elsewhere(seen: Evidence) -> None:
    _question(seen).chat_session_id = next(row.id for row in seen.chats.values() if row.owner_id == _other(seen))


def _one_message_for_two_posts(seen: Evidence) -> None:
    seen.outcomes.append(replace(seen.outcomes[1], key="another"))


def _granted(seen: Evidence) -> None:
    seen.entries.append(SimpleNamespace(user_id=_other(seen), kind="grant", ref="thin air", delta=0))


def _piece(seen: Evidence, attempt: int, text: str = "word0@1 ") -> None:
    _hear(seen, "message.delta", messageId=_reply(seen).id, attempt=attempt, index=0, text=text)


def _earlier_piece(seen: Evidence) -> None:
    _hear(seen, "message.started", id=_reply(seen).id, attempt=3)
    _piece(seen, attempt=2)


def _shown_to_another(seen: Evidence) -> None:
    question = _question(seen)
    seen.shown[_other(seen)][question.id] = seen.shown[question.owner_id][question.id]


def _another_price_shown(seen: Evidence) -> None:
    reply = _reply(seen)
    seen.shown[reply.owner_id][reply.id]["credits"]["charged"] = 0


def _another_text_told(seen: Evidence) -> None:
    ends = [event for event in seen.heard[_reply(seen).owner_id] if event.name == "message.completed"]
    ends[0].data["content"] = "word0@1 "


def _answered_with_anothers(seen: Evidence) -> None:
    own = next(outcome for outcome in seen.outcomes if outcome.user_id == _reply(seen).owner_id)
    seen.other_calls.append(replace(own, op="rename", user_id=_other(seen), body=None))


def _log(text: str) -> Callable[[Evidence], None]:
    def write(seen: Evidence) -> None:
        seen.logs += text or seen.outcomes[0].nonce

    return write


_failed = partial(_reply, status="failed")
# What is broken, whose guard notices, and some words of what it says.
BREAKS: dict[str, tuple[Callable[[Evidence], None], str, str]] = {
    "a reply is gone": (_forget_reply, "G1", "not stored"),
    "a message has two replies": (_second_reply, "G1", "2 replies"),
    "a message has lost its text": (_set(_question, content=""), "G1", "not stored as it was posted"),
    "a message stands in another's chat": (_elsewhere, "G1", "not stored as it was posted"),
    "a reply stands in another chat": (_set(_reply, chat_session_id="another"), "G1", "to no message of its chat"),
    "a message was deleted unasked": (_set(_question, deleted_at=1, content=""), "G1", "nobody asked for it"),
    "a row was removed": (lambda seen: add_note(seen, "removed", "x", ""), "G1", "left no row"),
    "a message was stored twice": (_second_message, "G10", "2 messages of 1 posts"),
    "a reply is not final": (stuck, "G2", "still running"),
    "a final reply holds a lease": (_set(_reply, lease_until=1), "G2", "still a lease"),
    "a final reply has no end": (_set(_reply, completed_at=None), "G2", "has no end"),
    "a failed reply says not why": (_set(_failed, error_code=None), "G2", "ai_error with error None"),
    "a completed reply is an error": (_set(_reply, message_type="ai_error"), "G2", "is an ai_error"),
    "a reply ended twice": (lambda seen: add_note(seen, "reply", "completed", "failed"), "G3", "ended 2 times"),
    "a final reply was rewritten": (
        lambda seen: add_note(seen, "rewritten", "completed", "completed"),
        "G3",
        "changed",
    ),
    "a balance is not its ledger's": (_poorer, "G4", "the ledger says"),
    "more is held than replies are for": (_hold_more, "G4", "holds 3"),
    "a ledger fell below nothing": (lambda seen: add_note(seen, "ledger", "hold", "-1000"), "G4", "fell to"),
    "an entry was changed": (lambda seen: add_note(seen, "ledger changed", "-3", "0"), "G4", "an entry"),
    "a completed reply was released": (lambda seen: _entry(seen, "release", 3), "G5", "too many"),
    "a reply was held twice": (lambda seen: _entry(seen, "hold", -3), "G5", "too many"),
    "a failed reply was charged": (_set(_failed, credits_charged=3), "G5", "was charged 3"),
    "a failed reply was not released": (lambda seen: _without(seen, "release"), "G5", "too few"),
    "a stop that kept no text was charged": (_stopped(" \n", 3), "G5", "was charged 3"),
    "a stop that kept its text was free": (_stopped("word0@1 ", 0), "G5", "was charged 0"),
    "credits came from nowhere": (_granted, "G5", "was granted"),
    "a sign-up granted nothing": (lambda seen: _without(seen, "grant"), "G5", "was granted"),
    "a reply had another price": (_set(_reply, credits_held=2), "G5", "held for at 2"),
    "two answers are glued together": (_changed_text, "G6", "isn't one whole answer"),
    "a cut answer passes as whole": (_set(_reply, content="word0@1 "), "G6", "isn't one whole answer"),
    "a whole answer passes as cut": (_set(_reply, finish_reason="length"), "G6", "isn't one whole answer"),
    "the answer is an earlier attempt's": (_earlier_answer, "G6", "isn't what its last attempt was told"),
    "the model was never asked": (_never_asked, "G6", "never asked"),
    "a failed reply keeps what nobody said": (_set(_failed, content="word0@1 word9@1 "), "G6", "nobody said this"),
    "what was shown is glued together": (lambda seen: _piece(seen, 1, "word0@1 word0@2 "), "G6", "showed"),
    "somebody heard of another's reply": (_foreign_event, "G7", "isn't theirs"),
    "somebody heard of another's money": (_foreign_money, "G7", "money that was never theirs"),
    "somebody heard of another's chat": (_foreign_chat, "G7", "isn't theirs"),
    "somebody heard of what never was": (
        lambda seen: _hear(seen, "message.deleted", id="x", seq=1),
        "G7",
        "isn't theirs",
    ),
    "somebody is shown another's question": (_shown_to_another, "G7", "was told another's"),
    "an answer brings another's words": (_answered_with_anothers, "G7", "was told another's"),
    "a socket without a token heard an event": (
        lambda seen: seen.uninvited.append('2["message.created",{}]'),
        "G7",
        "without a token",
    ),
    "REST does not show a message": (_unshown, "G8", "not both stored and shown"),
    "REST tells another price": (_another_price_shown, "G8", "otherwise than it is stored"),
    "sync does not tell a message": (_untold, "G8", "not both due and told"),
    "sync tells a message as it was before": (_told_too_early, "G8", "/sync tells"),
    "sync refuses somebody": (lambda seen: seen.synced.pop(_other(seen)), "G8", "/sync refuses"),
    "a number was told twice": (lambda seen: _hear(seen, "chat.updated", seq=1), "G8", "number 1 was told"),
    "a number was told that nobody took": (lambda seen: _hear(seen, "resync", seq=9999), "G8", "never taken"),
    "an event brings another text": (_another_text_told, "G8", "brings another text"),
    "text came after the end": (lambda seen: _piece(seen, 1), "G8", "after its end"),
    "a piece of text came twice": (lambda seen: [_piece(seen, 1) for _ in range(2)], "G8", "was told twice"),
    "text came of a replaced attempt": (_earlier_piece, "G8", "after a newer one"),
    "two requests at once": (_two_requests_at_once, "G9", "two requests at once"),
    "a connection outlives its reply": (_set(_request, closed_at=None), "G9", "was open"),
    "an attempt was not counted": (_set(_reply, attempt=0), "G9", "0 attempts, 1 claims"),
    "an attempt was not paid for": (_set(_reply, attempt=2), "G9", "2 attempts, 0 failures"),
    "a key made two messages": (_second_use_of_a_key, "G10", "made 2 messages"),
    "a key was not kept": (lambda seen: seen.keys.clear(), "G10", "is kept for None"),
    "two posts got one message": (_one_message_for_two_posts, "G10", "answered with the one"),
    "what was refused is stored": (
        _set(lambda seen: seen.outcomes[1], status=422),
        "G10",
        "of 0 posts",
    ),
    "a server error": (_server_error, "G11", "500 for post"),
    "a refusal that says not when to come back": (_unavailable, "G11", "without Retry-After"),
    "a call had no answer": (_set(lambda seen: seen.outcomes[0], status=None), "G11", "no answer"),
    "a traceback in a log": (_log("Traceback (most recent call last)"), "G11", "a log says too much"),
    "a message in a log": (_log(""), "G11", "a log holds the text"),
    "a model's own words in an event": (
        lambda seen: _hear(seen, "resync", why="Scripted."),
        "G11",
        "was told too much",
    ),
}
