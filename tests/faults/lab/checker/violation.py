"""The record of one thing that is wrong after a fault."""

from dataclasses import dataclass

LOST, DOUBLED, UNEXPECTED = "lost", "doubled", "unexpected"


@dataclass(frozen=True)
class Violation:
    """One broken invariant: its name, the kind (lost, doubled, or only unexpected), and the description."""

    guard: str
    kind: str
    what: str
