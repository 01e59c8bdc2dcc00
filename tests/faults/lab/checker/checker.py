"""The verdict after a fault: the counts of lost, doubled, recovered and unexpected, and every broken invariant."""

from collections import Counter
from dataclasses import dataclass

from tests.faults.lab.checker.invariants import INVARIANTS
from tests.faults.lab.checker.rules import FINAL, Rules
from tests.faults.lab.checker.violation import DOUBLED, LOST, UNEXPECTED, Violation
from tests.faults.lab.evidence import Evidence


@dataclass(frozen=True, repr=False)
class Verdict:
    """`recovered` counts the replies that ended although their first way to the end was cut off."""

    evidence: Evidence
    violations: list[Violation]
    recovered: int

    def count(self, kind: str) -> int:
        return sum(violation.kind == kind for violation in self.violations)

    def broken(self) -> set[str]:
        """The invariants that do not hold."""
        return {violation.guard for violation in self.violations}

    def must_be_clean(self) -> "Verdict":
        assert not self.violations, repr(self)
        return self

    def __repr__(self) -> str:
        kinds = (LOST, DOUBLED, UNEXPECTED)
        counts = [f"{self.count(kind)} {kind}" for kind in kinds] + [f"{self.recovered} recovered"]
        posts = [f"{sum(o.kind == kind for o in self.evidence.outcomes)} {kind}" for kind in ("ok", "fail", "unknown")]
        verbs = Counter(call.op for call in self.evidence.other_calls if call.kind == "ok")
        posts += [f"{count} {verb}" for verb, count in sorted(verbs.items())]
        lines = [f"  {violation.guard} {violation.kind}: {violation.what}" for violation in self.violations]
        return "\n".join([f"{', '.join(counts)}; of the posts {', '.join(posts)}", *lines])


def judge(evidence: Evidence, rules: Rules) -> Verdict:
    """Check the evidence against G1 to G11."""
    violations = [violation for invariant in INVARIANTS for violation in invariant(evidence, rules)]
    return Verdict(evidence, violations, _recovered(evidence))


def _recovered(evidence: Evidence) -> int:
    """Count replies that ran again or were handed over again, and stored posts whose client got no answer."""
    told = {outcome.reply_id for outcome in evidence.accepts if outcome.kind == "ok"}
    return sum(
        reply.status in FINAL and (reply.attempt > 1 or reply.handovers > 0 or reply.id not in told)
        for reply in evidence.replies
    )
