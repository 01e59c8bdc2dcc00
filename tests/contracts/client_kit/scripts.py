"""The scripts of the kit, recorded from the real product and then bent. Each gives the screen a client must show."""

from tests.contracts.client_kit import scripts_of_a_reply, scripts_of_chats, scripts_of_order
from tests.contracts.client_kit.recorder import Recorder, Step
from tests.contracts.client_kit.script import Script

_MODULES = (scripts_of_a_reply, scripts_of_chats, scripts_of_order)
_SCRIPTS = {name: found for module in _MODULES for name, found in vars(module).items() if isinstance(found, Script)}


def record(name: str, recorder: Recorder) -> Step:
    """One script: its title, the client's first readings, the steps, and the screen at the end."""
    script = _SCRIPTS[name]
    made = script.steps(recorder)
    return {"title": script.title, "first": made["first"], "steps": made["steps"], "screen": made["screen"]}


def names() -> list[str]:
    return list(_SCRIPTS)
