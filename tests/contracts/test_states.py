"""The state machine has one room: only shared/actions/replies/states.py writes `status`."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.actions.replies import states
from shared.models.status import Status

ROOT = Path(__file__).parents[2]
ROOM = ROOT / "shared" / "actions" / "replies" / "states.py"
EXAMPLES = ROOT / "api" / "documents" / "examples.py"  # only shown to authors of clients
FILES = [
    file
    for folder in ("api", "workers", "shared")
    for file in (ROOT / folder).rglob("*.py")
    if file not in (ROOM, EXAMPLES) and "migrations" not in file.parts
]


def writes_of_status(source: str) -> Iterator[int]:
    """The lines that write `status`: by keyword, as a dictionary's entry, by assignment, or in SQL."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and (mentions_a_state(node) or makes_a_row(node.func)):
            yield from (word.value.lineno for word in node.keywords if word.arg == "status")
        if isinstance(node, ast.Dict):
            named = (key for key in node.keys if isinstance(key, ast.Constant) and key.value == "status")
            yield from (key.lineno for key in named if mentions_a_state(node))
        if isinstance(node, ast.Attribute) and node.attr == "status" and isinstance(node.ctx, ast.Store):
            yield node.lineno
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and "SET status" in node.value:
            yield node.lineno


def makes_a_row(called: ast.expr) -> bool:
    name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
    return name in ("values", "_replace") or name.endswith("Row")


def mentions_a_state(node: ast.AST) -> bool:
    names = {child.id for child in ast.walk(node) if isinstance(child, ast.Name)}
    values = {child.value for child in ast.walk(node) if isinstance(child, ast.Constant)}
    return not names.isdisjoint({"Status", "bindparam"}) or not values.isdisjoint(set(Status))


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_no_other_file_writes_a_state(file: Path) -> None:
    assert list(writes_of_status(file.read_text())) == []


@pytest.mark.parametrize(
    "line",
    [
        "update(messages).values(status=Status.FAILED)",
        "update(messages).values({'status': Status.FAILED})",
        "update(messages).values({'status': bindparam('state')})",
        "insert(messages).values([{'status': 'pending'}])",
        "message.status = Status.FAILED",
        "text('UPDATE messages SET status = 1')",
        "MessageRow(status='failed')",
    ],
)
def test_each_way_to_write_a_state_is_found(line: str) -> None:
    assert list(writes_of_status(line)) == [1]


def test_the_architecture_shows_the_same_diagram() -> None:
    drawn = (states.__doc__ or "").split("\n\n")[1]
    assert drawn.strip("\n") in (ROOT / "ARCHITECTURE.md").read_text()
