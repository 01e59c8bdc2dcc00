"""Files, folders and functions stay small enough to read at once. contracts/client/ has the page's own limits."""

import ast
import subprocess
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CODE = ("api", "workers", "shared")
AROUND = ("tests", "benchmarks", "scripts")
MODULE, FUNCTION, FOLDER, TOP_OF_SHARED = 200, 40, 14, 10


def tracked(*folders: str) -> list[Path]:
    listed = subprocess.run(["git", "ls-files", *folders], cwd=ROOT, capture_output=True, text=True, check=True)
    return [Path(name) for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


def too_long(source: str) -> list[str]:
    """The functions of a module that are longer than they may be."""
    found = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    return [node.name for node in found if (node.end_lineno or 0) - node.lineno >= FUNCTION]


MODULES = [file for file in tracked(*CODE) if file.suffix == ".py" and "migrations" not in file.parts]


@pytest.mark.parametrize("file", MODULES, ids=str)
def test_a_module_and_its_functions_are_short(file: Path) -> None:
    source = (ROOT / file).read_text()
    assert len(source.splitlines()) <= MODULE
    assert too_long(source) == []


def test_the_modules_of_tests_benchmarks_and_scripts_are_short() -> None:
    # their functions have no limit: one tells the whole life of a message
    lines = {file: len((ROOT / file).read_text().splitlines()) for file in tracked(*AROUND) if file.suffix == ".py"}
    assert {str(file): count for file, count in lines.items() if count > MODULE} == {}


def test_a_long_function_is_found() -> None:
    lines = "\n".join(["    pass"] * FUNCTION)
    assert too_long(f"def long():\n{lines}\n") == ["long"]
    assert too_long("def short():\n" + lines.removesuffix("\n    pass")) == []


def test_no_folder_is_full() -> None:
    # recorded scripts and other data are no modules
    code = [file for file in tracked(*CODE, *AROUND) if file.suffix in (".py", ".js", ".css")]
    held = Counter(file.parent for file in code if file.name != "__init__.py")
    assert {str(folder): count for folder, count in held.items() if count > FOLDER} == {}
    assert sum(file.parent == Path("shared") for file in code) <= TOP_OF_SHARED
