"""A person stops a reply."""

from typing import Any

from tests.faults.lab.history import Outcome
from tests.faults.lab.people import Witnessed


def stop(person: Witnessed, outcome: Outcome) -> Outcome:
    return person.call("stop", "POST", f"{outcome.path}/stop")


def told(answer: Any) -> dict[str, Any]:
    """A message without the field that only a running one has."""
    return {name: value for name, value in answer.items() if name != "nextIndex"}
