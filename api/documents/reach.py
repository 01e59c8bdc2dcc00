"""Finds the errors that a view can answer with: those that its code, or code that it calls, names.

So no route has to list its errors. An error that the code names and then catches is found too.
"""

from collections.abc import Callable, Iterator
from types import CodeType, FunctionType, ModuleType
from typing import Any

from api.http.errors import STATUS
from shared.errors.base import HoldfastError

_OURS = ("api.", "shared.")


def errors_of(view: Callable[..., Any]) -> set[type[HoldfastError]]:
    """The errors of requests that the code of a view can raise."""
    seen: dict[int, Any] = {}
    todo: list[Any] = [view]
    while todo:
        found = todo.pop()
        if id(found) not in seen:
            seen[id(found)] = found
            todo += _named_in(found)
    return {kind for kind in seen.values() if isinstance(kind, type) and kind in STATUS}


def _named_in(found: Any) -> Iterator[Any]:
    """The functions and classes of ours that code names, or that a value of ours holds, such as a Verb."""
    if isinstance(found, type):
        yield from vars(found).values()
    elif isinstance(found, dict):
        yield from filter(_is_ours, found.values())
    elif not isinstance(found, FunctionType) and _is_ours(found):
        yield from filter(_is_ours, getattr(found, "__dict__", {}).values())
    for part in ("__func__", "fget", "__wrapped__"):  # of a class method, a property, a decorated function
        if part in dir(found):
            yield getattr(found, part)
    if isinstance(found, FunctionType):
        yield from (cell.cell_contents for cell in found.__closure__ or ())
        names = set(_names(found.__code__))
        named = [found.__globals__[name] for name in names & found.__globals__.keys()]
        modules = [value for value in named if isinstance(value, ModuleType)]
        named += [vars(module)[name] for module in modules for name in names & vars(module).keys()]
        yield from (value for value in named if isinstance(value, dict) or _is_ours(value))


def _is_ours(value: Any) -> bool:
    return (getattr(value, "__module__", None) or "").startswith(_OURS)


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)
