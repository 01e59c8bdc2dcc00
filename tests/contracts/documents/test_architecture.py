"""Each file and function that ARCHITECTURE.md names exists where the document says."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "ARCHITECTURE.md").read_text()
STORY = TEXT.partition("## The life of a message")[2].partition("## The states")[0]
FILES = sorted(set(re.findall(r"`((?:api|workers|shared|tests)/[\w/]+\.(?:py|js))`", TEXT)))
# `file` `function()`, and after a comma or "or" further functions of the same file
CALLS = re.findall(r"`((?:api|workers|shared)/[\w/]+\.py)`\s+((?:`\w+\(\)`(?:,| or|, or)?\s*)+)", TEXT)


@pytest.mark.parametrize("file", FILES)
def test_each_named_file_exists(file: str) -> None:
    assert (ROOT / file).is_file()


@pytest.mark.parametrize(("file", "calls"), CALLS)
def test_each_named_function_is_in_its_file(file: str, calls: str) -> None:
    tree = ast.parse((ROOT / file).read_text())
    defined = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    assert set(re.findall(r"`(\w+)\(\)`", calls)) <= defined


def test_each_line_of_the_story_names_a_file_and_a_function() -> None:
    lines = re.split(r"^\d+\. ", STORY, flags=re.MULTILINE)[1:]
    assert len(lines) >= 9
    for line in lines:
        assert re.search(r"`\w+/[\w/.]+`\s+`\w+\(\)`", line), line
