"""The answers to clients: one record for each call that changes something, with or without an answer."""

import re
import threading
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from tests.fair_clock import CLOCK

#: The verbs that ask for another version of a reply, and with the others, all that accept something.
AGAIN = ("regenerate", "retry", "continue")
ACCEPTS = ("post", "edit", *AGAIN)
#: The ids of the message, the reply and the chat that a call made.
Made = tuple[str | None, str | None, str | None]


@dataclass
class Outcome:
    """One call. `op` is `post` or a test's own name. `status` stays None if no answer comes. `took` counts the seconds
    of a machine that has a core for everybody."""

    op: str
    user_id: str
    chat_id: str
    content: str
    key: str | None
    request: str = ""  # method and path, if the call is no post
    rule: str | None = None  # of a post: what to do while the chat is busy
    generates: bool = True  # of a post: whether a reply must follow
    sent: Any = None  # the body, if the call is no post
    began: float = field(default_factory=CLOCK.now)
    took: float = 0.0
    status: int | None = None
    body: Any = None
    text: str = ""
    retry_after: str | None = None
    trouble: str = ""

    @property
    def kind(self) -> str:
        """`ok`: accepted. `fail`: refused, so nothing may be stored. `unknown`: the client can't tell."""
        if self.status is None or self.status >= 500:
            return "unknown"
        return "ok" if self.status < 300 else "fail"

    @property
    def nonce(self) -> str:
        """The word that no other question has."""
        found = re.search(r"q-[0-9a-f]+", self.content)
        return found[0] if found else ""

    @property
    def message_id(self) -> str:
        return str(self.body["message"]["id"])

    @property
    def reply_id(self) -> str:
        """The reply that an accepted call asked for. Empty if the call wanted none."""
        return str(self.body["reply"]["id"]) if self.body["reply"] else ""

    @property
    def named(self) -> str:
        """The message or reply that the path of the call names."""
        found = re.search(r"/messages/([^/]+)", self.request)
        return found[1] if found else ""

    @property
    def named_in_body(self) -> str:
        """The message at which a fork ends."""
        return str(self.sent["messageId"])

    @property
    def in_place(self) -> bool:
        """Whether an edit changed the message itself. Otherwise the edit made another version."""
        return self.op == "edit" and self.kind == "ok" and self.message_id == self.named

    @property
    def made(self) -> Made:
        """The ids of the message, the reply and the chat that an accepted call made. Its key is kept with these."""
        if self.op == "fork":
            return None, None, str(self.body["id"])
        return None if self.op in AGAIN else self.message_id, self.reply_id or None, None

    @property
    def path(self) -> str:
        """The path of the reply."""
        return f"/chats/{self.chat_id}/messages/{self.reply_id}"


class History:
    """All outcomes, in the order in which they began. Many threads add to them."""

    def __init__(self) -> None:
        self.outcomes: list[Outcome] = []
        self._lock = threading.Lock()

    def begin(
        self,
        op: str,
        user_id: str,
        chat_id: str,
        content: str = "",
        key: str | None = None,
        request: str = "",
        **more: Any,
    ) -> Outcome:
        outcome = Outcome(op, user_id, chat_id, content, key, request, **more)
        with self._lock:
            self.outcomes.append(outcome)
        return outcome

    def of_kind(self, kind: str) -> list[Outcome]:
        return [outcome for outcome in self.outcomes if outcome.kind == kind]

    @property
    def posts(self) -> list[Outcome]:
        return [outcome for outcome in self.outcomes if outcome.op == "post"]


def a_question(options: str) -> str:
    """A unique question that scripts its answer. Each piece of the answer names its request."""
    script = ",".join(filter(None, ("signed", options)))
    return f"q-{uuid4().hex[:12]} fake:{script}"
