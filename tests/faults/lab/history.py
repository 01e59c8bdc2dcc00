"""What the clients were told: one record for each call that changes something, whatever came of it."""

import re
import threading
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from tests.fair_clock import CLOCK


@dataclass
class Outcome:
    """One call; `op` is `post` or what a test names it. `status` stays None if no answer comes. `took` in seconds
    of a machine that has a core for everybody."""

    op: str
    user_id: str
    chat_id: str
    content: str
    key: str | None
    request: str = ""  # method and path, of what is no post
    began: float = field(default_factory=CLOCK.now)
    took: float = 0.0
    status: int | None = None
    body: Any = None
    text: str = ""
    retry_after: str | None = None
    trouble: str = ""

    @property
    def kind(self) -> str:
        """`ok`: accepted; `fail`: refused, nothing may be stored; `unknown`: nobody can tell from here."""
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
        return str(self.body["reply"]["id"])

    @property
    def path(self) -> str:
        """Of the reply."""
        return f"/chats/{self.chat_id}/messages/{self.reply_id}"


class History:
    """All outcomes, in the order in which they began; filled by many threads."""

    def __init__(self) -> None:
        self.outcomes: list[Outcome] = []
        self._lock = threading.Lock()

    def begin(
        self, op: str, user_id: str, chat_id: str, content: str = "", key: str | None = None, request: str = ""
    ) -> Outcome:
        outcome = Outcome(op, user_id, chat_id, content, key, request)
        with self._lock:
            self.outcomes.append(outcome)
        return outcome

    def of_kind(self, kind: str) -> list[Outcome]:
        return [outcome for outcome in self.outcomes if outcome.kind == kind]

    @property
    def posts(self) -> list[Outcome]:
        return [outcome for outcome in self.outcomes if outcome.op == "post"]


def a_question(options: str) -> str:
    """A question like no other, which scripts its answer; the answer's pieces name the request that they are of."""
    script = ",".join(filter(None, ("signed", options)))
    return f"q-{uuid4().hex[:12]} fake:{script}"
