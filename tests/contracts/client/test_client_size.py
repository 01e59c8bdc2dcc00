"""The page's modules, functions and folders stay small enough to read at once."""

from collections import Counter
from pathlib import Path

import pytest

from tests.contracts.client.js_functions import function_lengths

CLIENT = Path(__file__).parents[3] / "api" / "client"
MODULES = sorted(CLIENT.rglob("*.js"))
MODULE_LINES = 200
FUNCTION_LINES = 40
FOLDER_FILES = 14


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.relative_to(CLIENT).as_posix())
def test_a_module_is_short(module: Path) -> None:
    assert len(module.read_text().splitlines()) <= MODULE_LINES


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.relative_to(CLIENT).as_posix())
def test_each_function_is_short(module: Path) -> None:
    lengths = function_lengths(module.read_text())
    assert {line: length for line, length in lengths.items() if length > FUNCTION_LINES} == {}


def test_no_folder_is_crowded() -> None:
    files = Counter(path.parent for path in CLIENT.rglob("*") if path.is_file())
    assert {folder.name: count for folder, count in files.items() if count > FOLDER_FILES} == {}


BODY = "\n".join(["  a();"] * 39)
FUNCTION = f"function f() {{\n{BODY}\n}}"
ELEMENTS = "\n".join(["  a,"] * 39)
FORTY_ONE_LINES = {
    "a declaration": FUNCTION,
    "an asynchronous generator": f"export async function* f(a, {{ b = c() }} = {{}}) {{\n{BODY}\n}}",
    "an expression": f"const f = function () {{\n{BODY}\n}};",
    "a method": f"class A {{\n  #f() {{\n{BODY}\n}}\n}}",
    "an arrow": f"const f = (a) => {{\n{BODY}\n}};",
    "an arrow without parentheses": f"const f = a => {{\n{BODY}\n}};",
    "an arrow that returns an object": f"call((a) => ({{\n{ELEMENTS}\n}}));",
    "an arrow that returns a list": f"const f = () => [\n{ELEMENTS}\n];",
    "an arrow with a chain": "const f = (a) =>\n" + "  .b()\n" * 39 + "  .c();",
    "an arrow with long parameters": "const f = (\n" + "  a,\n" * 39 + ") => a;",
    "a function after brackets in strings": f"const s = '({{';\nconst t = \"[\";\n{FUNCTION}",
    "a function after brackets in comments": f"// ({{\n/* [\n{{ */\n{FUNCTION}",
    "a function after templates in templates": f'const s = `(${{a ? `{{${{{{b}}}}` : "`"}}[`;\n{FUNCTION}',
    "a function after a regular expression": f'const r = /[/`"(]\\(/u;\n{FUNCTION}',
    "a function after divisions": f"const q = a / (b) / c[d] / e;\n{FUNCTION}",
    "a function inside a template": f"const s = `${{list.map((a) => {{\n{BODY}\n}})}}`;",
}


@pytest.mark.parametrize("source", FORTY_ONE_LINES.values(), ids=FORTY_ONE_LINES.keys())
def test_each_kind_of_function_is_measured(source: str) -> None:
    assert max(function_lengths(source).values()) == FUNCTION_LINES + 1


def test_a_function_ends_where_the_next_one_begins() -> None:
    short = "const f = (a) => a.b;\nconst g = (a) => ({ a });\nfunction h() {\n  a();\n}\n"
    assert set(function_lengths(short * 30).values()) == {1, 3}
