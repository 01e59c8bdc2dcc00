"""Programs without one guard each, which the checker must notice. Start: `python -m tests.faults.naive.MODULE`.

The product has no such switch. Each module puts something naive in the guard's place, then starts the program. If a
guard has moved, the module fails, and says so.
"""

import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any


def replace(owner: Any, name: str, instead: Any) -> Any:
    """Put something in a guard's place, and return the guard."""
    guard = getattr(owner, name)
    setattr(owner, name, instead)
    return guard


def rewrite(name: str, guard: str, naive: str) -> None:
    """Import this module with `naive` in the place of `guard`, before anything else imports the module."""
    assert name not in sys.modules, f"{name} was imported with its guard"
    spec = find_spec(name)
    assert spec
    assert spec.origin
    source = Path(spec.origin).read_text()
    assert source.count(guard) == 1, f"{name} has no such guard any more: {guard}"
    module = ModuleType(name)
    module.__file__ = spec.origin
    sys.modules[name] = module
    exec(compile(source.replace(guard, naive), spec.origin, "exec"), module.__dict__)
    package, _, own = name.rpartition(".")
    setattr(import_module(package), own, module)
