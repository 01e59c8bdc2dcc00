"""What holds for every fault, and what a fault makes legal beyond it."""

from dataclasses import dataclass

FINAL = ("completed", "failed", "cancelled")
MAX_FAILURES = 2
MAX_ACTIVE = 2
PRICE = 3
# Milliseconds from the end of a reply until its connection to the model is closed, at most.
LETS_GO_WITHIN = 2_000


@dataclass(frozen=True)
class Rules:
    """Server errors of these statuses; two requests at once for one reply, or one that outlives its reply, because a
    worker was frozen; tracebacks; calls without an answer.
    """

    statuses: frozenset[int] = frozenset()
    overlap: bool = False
    tracebacks: bool = False
    unanswered: bool = False
