"""What is wrong after a fault."""

from dataclasses import dataclass

LOST, DOUBLED, UNEXPECTED = "lost", "doubled", "unexpected"


@dataclass(frozen=True)
class Violation:
    """What is wrong, of which invariant, and whether something was lost, doubled, or is only unexpected."""

    guard: str
    kind: str
    what: str
