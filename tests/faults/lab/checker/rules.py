"""The limits that hold for every fault, and the exceptions that a single fault makes legal."""

from dataclasses import dataclass

FINAL = ("completed", "failed", "cancelled")
MAX_FAILURES = 2
MAX_ACTIVE = 2
PRICE = 3
# At most so many milliseconds after the end of a reply, its connection to the model is closed.
LETS_GO_WITHIN = 2_000


@dataclass(frozen=True)
class Rules:
    """The exceptions that one fault makes legal.

    `statuses`: server errors of these statuses. `overlap`: two requests at once for one reply, or one that outlives its
    reply, because a worker was frozen. `tracebacks`: tracebacks in the logs. `unanswered`: calls without an answer.
    """

    statuses: frozenset[int] = frozenset()
    overlap: bool = False
    tracebacks: bool = False
    unanswered: bool = False
