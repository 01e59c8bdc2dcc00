"""Ways to tamper with the evidence of versions, continued texts, forks, and messages without a reply."""

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

from tests.faults.lab.breaks.tampering import somebody_else
from tests.faults.lab.evidence import Evidence
from tests.faults.lab.history import Outcome
from tests.faults.lab.witness import Note
from tests.services.sockets import Heard


def call(seen: Evidence, op: str) -> Outcome:
    """The first accepted call of this kind. An edit must have made a version."""
    return next(one for one in seen.other_calls if (one.op, one.kind) == (op, "ok") and not one.in_place)


def made(op: str) -> Callable[[Evidence], Any]:
    """The reply that this call made."""
    return lambda seen: seen.messages[call(seen, op).reply_id]


def the_copy(seen: Evidence) -> Any:
    """The last message that a fork copied."""
    return seen.copies[-1]


def the_note(seen: Evidence) -> Outcome:
    """The post that wanted no reply."""
    return next(post for post in seen.outcomes if not post.generates)


def unmade(op: str) -> Callable[[Evidence], None]:
    """Lose the reply that this call made."""

    def lose(seen: Evidence) -> None:
        del seen.messages[call(seen, op).reply_id]

    return lose


def another_version(seen: Evidence) -> None:
    """Let one call have made two replies."""
    reply = made("regenerate")(seen)
    seen.messages["another"] = SimpleNamespace(**vars(reply) | {"id": "another", "version": 9, "shown": False})


def answered_note(seen: Evidence) -> None:
    """Answer the message that wanted no reply."""
    reply = made("retry")(seen)
    note = {"id": "another", "reply_to": the_note(seen).message_id, "version_of": None, "shown": True}
    seen.messages["another"] = SimpleNamespace(**vars(reply) | note)


def asked_about_a_note(seen: Evidence) -> None:
    """Let the model hear the message that wanted no reply."""
    turn = {"role": "user", "content": the_note(seen).content}
    seen.requests.append(replace(seen.requests[0], body={"messages": [turn]}))


def both_shown(seen: Evidence) -> None:
    """Show a continued reply beside its continuation."""
    seen.messages[made("continue")(seen).continues].shown = True


def other_question(seen: Evidence) -> None:
    """Let a version of a reply answer the edited question."""
    made("regenerate")(seen).reply_to = call(seen, "edit").message_id


def unrelated_edit(seen: Evidence) -> None:
    """Let an edit be no version of the message that it names."""
    seen.messages[call(seen, "edit").message_id].version_of = None


def lost_text(seen: Evidence) -> None:
    """Lose the text that a reply continues."""
    reply = made("continue")(seen)
    reply.content = "x" * reply.kept + reply.content[reply.kept :]


def kept_text_charged(seen: Evidence) -> None:
    """Stop a continued reply before any new text, and charge for it."""
    reply = made("continue")(seen)
    reply.status, reply.content = "cancelled", reply.content[: reply.kept]


def copy_held(seen: Evidence) -> None:
    """Hold credits for a copy."""
    seen.entries.append(SimpleNamespace(user_id=the_copy(seen).owner_id, kind="hold", ref=the_copy(seen).id, delta=-3))


def copy_ran(seen: Evidence) -> None:
    """Let a worker claim a copy."""
    seen.notes.append(Note("reply", the_copy(seen).id, "pending", "running"))


def unasked_fork(seen: Evidence) -> None:
    """Let nobody have asked for the fork."""
    seen.other_calls.remove(call(seen, "fork"))


def shorter_fork(seen: Evidence) -> None:
    """Lose the last copy of the fork."""
    del seen.messages[the_copy(seen).id]


def empty_fork(seen: Evidence) -> None:
    """Lose all copies of the fork."""
    for row in seen.copies:
        del seen.messages[row.id]


def foreign_copy(seen: Evidence) -> None:
    """Give a copy to somebody else."""
    the_copy(seen).owner_id = somebody_else(seen)


def twice_forked(seen: Evidence) -> None:
    """Let the key of a fork have made two chats."""
    first = call(seen, "fork")
    seen.other_calls.append(replace(first, body=first.body | {"id": seen.outcomes[0].chat_id}))


def one_reply_for_two_calls(seen: Evidence) -> None:
    """Answer two calls with the one reply."""
    seen.other_calls.append(replace(call(seen, "regenerate"), key="another"))


def unknown_key(seen: Evidence) -> None:
    """Forget the key of a verb other than a post."""
    seen.keys[:] = [row for row in seen.keys if row.key != call(seen, "continue").key]


def shown_otherwise(name: str, value: Any) -> Callable[[Evidence], None]:
    """Let REST tell something else about a reply that continues another."""
    return lambda seen: _of_continued(seen, seen.shown).update({name: value})


def synced_otherwise(name: str, value: Any) -> Callable[[Evidence], None]:
    """Let `GET /sync` tell something else about a reply that continues another."""
    return lambda seen: _of_continued(seen, {who: one.rows for who, one in seen.synced.items()}).update({name: value})


def heard_otherwise(seen: Evidence) -> None:
    """Let the last event of a reply that continues another tell another root."""
    reply = made("continue")(seen)
    heard = seen.heard[reply.owner_id]
    at, last = next((at, one) for at, one in enumerate(heard) if (one.data or {}).get("seq") == reply.seq)
    heard[at] = Heard(last.name, last.data | {"versionOf": None})


def unlisted_version(seen: Evidence) -> None:
    """Let REST list all versions but the last."""
    seen.versions[made("continue")(seen).version_of].pop()


def _of_continued(seen: Evidence, told: dict[str, Any]) -> Any:
    reply = made("continue")(seen)
    return told[reply.owner_id][reply.id]
