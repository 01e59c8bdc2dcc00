"""The fake model's log: one request of a client, and its ending."""

import time
from dataclasses import dataclass, field
from typing import Any

_GO_ON = "Continue your answer exactly where it ends"  # how the workers' prompts begin, for a reply that continues


@dataclass
class Request:
    """One call in the log. Times are in Unix seconds; `sent` counts the pieces of text so far."""

    model: str
    body: dict[str, Any]
    headers: dict[str, str] = field(repr=False)
    client_port: int  # requests on one connection have the same port
    opened_at: float = field(default_factory=time.time)
    closed_at: float | None = None
    ending: str | None = None  # finished, cut (by the fake model, as scripted), client closed; None while it runs
    sent: int = 0
    number: int = 0  # counts the requests with the same model and question, from 1

    @property
    def messages(self) -> list[dict[str, Any]]:
        return list(self.body.get("messages", []))

    @property
    def question(self) -> str:
        """The last thing that the user said. A request to go on with an answer is none."""
        said = [str(m["content"]) for m in self.messages if m["role"] == "user"]
        return next((text for text in reversed(said) if not text.startswith(_GO_ON)), "")
