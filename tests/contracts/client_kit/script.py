"""A script of the kit, and the mark that makes a function one."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.contracts.client_kit.recorder import Recorder, Step


@dataclass(frozen=True)
class Script:
    """The title is the task that a client has to get right."""

    title: str
    steps: Callable[[Recorder], Step]


def script(title: str) -> Callable[[Callable[[Recorder], Step]], Script]:
    """Make a function a script with this title."""
    return lambda steps: Script(title, steps)
