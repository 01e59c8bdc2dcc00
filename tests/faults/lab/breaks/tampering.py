"""Ways to tamper with the evidence of a clean run: what is stored, charged, begun and asked of the model."""

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

from tests.faults.lab.evidence import Evidence
from tests.faults.lab.witness import Note


def somebody_else(seen: Evidence) -> str:
    """A person other than the one with the completed replies."""
    return next(user for user in seen.heard if user != the_reply(seen).owner_id)


def the_reply(seen: Evidence, status: str = "completed") -> Any:
    return next(reply for reply in seen.replies if reply.status == status)


def the_question(seen: Evidence) -> Any:
    return seen.messages[the_reply(seen).reply_to]


def add_note(seen: Evidence, what: str, was: str, now: str) -> None:
    reply = the_reply(seen)
    seen.notes.append(
        Note(what, reply.owner_id if what in ("ledger", "ledger changed", "removed") else reply.id, was, now)
    )


def entry(seen: Evidence, kind: str, delta: int) -> None:
    reply = the_reply(seen)
    seen.entries.append(SimpleNamespace(user_id=reply.owner_id, kind=kind, ref=reply.id, delta=delta))


def forget_reply(seen: Evidence) -> None:
    del seen.messages[the_reply(seen).id]


def edit_undone(seen: Evidence) -> None:
    """Put the text of the post back into the message that was edited."""
    post = next(post for post in seen.outcomes if seen.edits(post.message_id))
    seen.messages[post.message_id].content = post.content


def refused_edit(seen: Evidence) -> None:
    next(call for call in seen.other_calls if call.op == "edit").status = 409


def second_reply(seen: Evidence) -> None:
    seen.messages["another"] = SimpleNamespace(**vars(the_reply(seen)) | {"id": "another"})


def second_message(seen: Evidence) -> None:
    seen.messages["another"] = SimpleNamespace(**vars(the_question(seen)) | {"id": "another"})


def stuck(seen: Evidence) -> None:
    the_reply(seen).status = "running"


def poorer(seen: Evidence) -> None:
    seen.users[the_reply(seen).owner_id].credits -= 3


def hold_more(seen: Evidence) -> None:
    seen.users[the_reply(seen).owner_id].held += 3


def without(seen: Evidence, kind: str) -> None:
    seen.entries.remove(next(entry for entry in seen.entries if entry.kind == kind))


def stopped(content: str, charged: int) -> Callable[[Evidence], None]:
    """Stop the reply with the right ledger entries, so that only the price itself is wrong."""

    def stop(seen: Evidence) -> None:
        reply = the_reply(seen)
        reply.status, reply.content, reply.credits_charged = "cancelled", content, charged
        if not charged:
            entry(seen, "release", reply.credits_held)

    return stop


def changed_text(seen: Evidence) -> None:
    the_reply(seen).content = "word0@1 word0@2 "


def earlier_answer(seen: Evidence) -> None:
    request = next(request for request in seen.requests if request.question == the_question(seen).content)
    seen.requests.append(replace(request, number=2, opened_at=request.closed_at or 0.0))
    the_reply(seen).attempt, the_reply(seen).failures = 2, 1


def two_requests_at_once(seen: Evidence) -> None:
    request = next(request for request in seen.requests if request.question == the_question(seen).content)
    seen.requests.append(replace(request, opened_at=request.opened_at + 1e-4, closed_at=(request.closed_at or 0) + 1))


def altered(what: Callable[[Evidence], Any], **values: Any) -> Callable[[Evidence], None]:
    """Change these values of some row, call or request."""
    return lambda seen: vars(what(seen)).update(values)


def the_request(seen: Evidence) -> Any:
    return next(request for request in seen.requests if request.question == the_question(seen).content)


def never_asked(seen: Evidence) -> None:
    seen.requests.remove(the_request(seen))


def elsewhere(seen: Evidence) -> None:
    the_question(seen).chat_session_id = next(
        row.id for row in seen.chats.values() if row.owner_id == somebody_else(seen)
    )


def granted(seen: Evidence) -> None:
    seen.entries.append(SimpleNamespace(user_id=somebody_else(seen), kind="grant", ref="thin air", delta=0))


def begun_too_early(seen: Evidence) -> None:
    """Let a person's second reply begin while the first one waits for its worker."""
    chat = the_reply(seen).chat_session_id
    own = {row.id for row in seen.replies if row.chat_session_id == chat}
    began = [note for note in seen.notes if note.whose in own and note.now == "running"]
    seen.notes.insert(seen.notes.index(began[0]), began[1])


def three_at_once(seen: Evidence) -> None:
    steps = [note for note in seen.notes if (note.what, note.was) == ("reply", "running")]
    for note in steps:  # no reply ends before all have begun
        seen.notes.remove(note)
        seen.notes.append(note)
