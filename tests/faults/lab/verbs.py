"""A person's choices besides a plain post: those of the queue. `versions.py` has those of versions and forks.

Each verb makes calls at random, and the history records them.

A refusal is an answer too: the message may have a worker by then. The checker judges only the result.
"""

import random
from uuid import uuid4

from tests.faults.lab.history import Outcome, a_question
from tests.faults.lab.people import Witnessed

_OPTIONS = "chunks=10,every=20"


def interrupt(person: Witnessed, chat: str) -> Outcome:
    """Post something that must be answered first."""
    return person.ask(_OPTIONS, chat=chat, rule="interrupt")


def ask_unless_busy(person: Witnessed, chat: str) -> Outcome:
    """Post something that is refused while the chat has an open reply."""
    return person.ask(_OPTIONS, chat=chat, rule="reject")


def edit_one(person: Witnessed, chat: str) -> Outcome | None:
    """Edit a message that waits. If the last one is answered by then, the edit makes another version."""
    waiting = names(person, chat)
    return edit(person, chat, random.choice(waiting)) if waiting else None


def edit(person: Witnessed, chat: str, message_id: str, options: str = _OPTIONS) -> Outcome:
    """Give this message another question, with a word of its own."""
    content = a_question(options)
    path = f"/chats/{chat}/messages/{message_id}"
    key = uuid4().hex
    return person.insist(person.call("edit", "PATCH", path, chat, content, key=key, json={"content": content}))


def shuffle(person: Witnessed, chat: str) -> Outcome:
    """Put the waiting messages into any order."""
    waiting = names(person, chat)
    return reorder(person, chat, random.sample(waiting, len(waiting)))


def reorder(person: Witnessed, chat: str, order: list[str]) -> Outcome:
    """Put the waiting messages into this order, as of now."""
    now = person.look("/sync") or {"cursor": 0}
    body = {"order": order, "ifSeq": now["cursor"]}
    return person.call("reorder", "PUT", f"/chats/{chat}/queue", chat=chat, json=body)


def remove_one(person: Witnessed, chat: str) -> Outcome | None:
    """Take a message out of the queue."""
    waiting = names(person, chat)
    return remove(person, chat, random.choice(waiting)) if waiting else None


def remove(person: Witnessed, chat: str, message_id: str) -> Outcome:
    """Take this message out of the queue."""
    return person.call("remove", "DELETE", f"/chats/{chat}/queue/{message_id}", chat=chat)


def names(person: Witnessed, chat: str) -> list[str]:
    """The ids of the messages that wait. A server that does not answer shows none."""
    answer = person.look(f"/chats/{chat}/queue")
    return [item["id"] for item in answer["items"] if item["replyTo"] is None] if answer else []


#: The verbs of the queue. A further verb joins here or in versions.py, and then the random faults use it too.
QUEUE_VERBS = (interrupt, ask_unless_busy, edit_one, shuffle, shuffle, remove_one)
