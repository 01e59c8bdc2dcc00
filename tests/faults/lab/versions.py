"""A person's verbs about what was said: other versions, continuing, stopping, editing and forking.

A verb takes whichever message is there, so that many calls are refused. With a key, each call repeats until its answer.
"""

import random
from typing import Any
from uuid import uuid4

from tests.faults.lab.history import Outcome
from tests.faults.lab.people import Witnessed
from tests.faults.lab.verbs import edit

# Answers that break off, so that there is something to retry or to continue.
_BROKEN = ("chunks=10,every=20,cut_after=4,times=1", "chunks=10,every=20,status=401,times=1", "chunks=4,finish=length")


def ask_something_hard(person: Witnessed, chat: str) -> Outcome:
    """Ask for an answer that fails, or is cut off. A second request for it goes well."""
    return person.insist(person.ask(random.choice(_BROKEN), chat=chat, key=uuid4().hex))


def note_down(person: Witnessed, chat: str) -> Outcome:
    """Store a message that wants no reply."""
    return person.insist(person.ask(chat=chat, key=uuid4().hex, generates=False))


def regenerate(person: Witnessed, chat: str) -> Outcome | None:
    """Ask for another answer to the last question."""
    return _again(person, chat, "regenerate")


def retry(person: Witnessed, chat: str) -> Outcome | None:
    """Ask again after a failure."""
    return _again(person, chat, "retry")


def go_on(person: Witnessed, chat: str) -> Outcome | None:
    """Ask for the rest of an answer that broke off."""
    return _again(person, chat, "continue")


def edit_last(person: Witnessed, chat: str) -> Outcome | None:
    """Edit the last question, answered or not."""
    asked = [item for item in last(person, chat) if item["replyTo"] is None]
    return edit(person, chat, asked[0]["id"]) if asked else None


def show_one(person: Witnessed, chat: str) -> Outcome | None:
    """Show any version of a message or a reply."""
    several = [item for item in last(person, chat) if item["versionOf"]]
    if not several:
        return None
    path = f"/chats/{chat}/messages/{random.choice(several)['id']}/versions"
    versions = person.look(path)
    return show(person, chat, random.choice(versions["items"])["id"]) if versions and versions["items"] else None


def show(person: Witnessed, chat: str, message_id: str) -> Outcome:
    """Show this version."""
    return person.call("show", "PUT", f"/chats/{chat}/messages/{message_id}/shown", chat)


def stop_one(person: Witnessed, chat: str) -> Outcome | None:
    """Stop a reply that waits or runs."""
    is_open = [item for item in last(person, chat) if item["replyTo"] and item["status"] in ("pending", "running")]
    if not is_open:
        return None
    return person.call("stop", "POST", f"/chats/{chat}/messages/{random.choice(is_open)['id']}/stop", chat)


def fork_one(person: Witnessed, chat: str) -> Outcome | None:
    """Fork at any message, then ask for another version of the last reply there, and for something else."""
    items = last(person, chat)
    forked = fork(person, chat, random.choice(items)["id"]) if items else None
    if forked and forked.kind == "ok":
        copy = str(forked.body["id"])
        random.choice((regenerate, go_on, edit_last, show_one))(person, copy)
        person.insist(person.ask(chat=copy, key=uuid4().hex))
    return forked


def fork(person: Witnessed, chat: str, message_id: str) -> Outcome:
    """Make a chat that ends with a copy of this message."""
    body = {"messageId": message_id}
    return person.insist(person.call("fork", "POST", f"/chats/{chat}/fork", chat, key=uuid4().hex, json=body))


def again(person: Witnessed, chat: str, message_id: str, verb: str) -> Outcome:
    """Ask for another version of this reply, or of the reply to this message."""
    path = f"/chats/{chat}/messages/{message_id}/{verb}"
    return person.insist(person.call(verb, "POST", path, chat, key=uuid4().hex, json={}))


def last(person: Witnessed, chat: str) -> list[dict[str, Any]]:
    """The newest messages, newest first. A server that does not answer shows none."""
    page = person.look(f"/chats/{chat}/messages?order=desc&limit=6")
    return page["items"] if page else []


def _again(person: Witnessed, chat: str, verb: str) -> Outcome | None:
    items = last(person, chat)
    return again(person, chat, items[0]["id"], verb) if items else None


#: The verbs of versions and forks.
VERSION_VERBS = (
    ask_something_hard,
    note_down,
    regenerate,
    retry,
    go_on,
    go_on,
    edit_last,
    show_one,
    stop_one,
    stop_one,
    fork_one,
)
