"""Plain English: no sentence begins with "what" or "who" used as a noun. It would name its subject too late."""

import ast
import io
import re
import subprocess
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
_NOUN = re.compile(r"[\W_]*(who|whom|whose|whoever|whomever|what|whatever)\b", re.IGNORECASE)
# A comment's mark, and the words that only linters read.
_MARK = re.compile(r"#[:!]?\s*((noqa|type|ruff|fmt): ?\S+[-\s]*)?")
_NOT_PROSE = re.compile(r"^```.*?^```$|^#.*?$|^\|[^\n]*\n(?=\|-)", re.DOTALL | re.MULTILINE)


def files() -> list[str]:
    where = [f"{folder}/*.py" for folder in ("api", "benchmarks", "scripts", "shared", "tests", "workers")]
    where += [":(glob)*.md", "docs/*.md"]
    listed = subprocess.run(["git", "ls-files", *where], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return listed.splitlines()


def paragraphs(file: str, source: str) -> list[str]:
    """The docstrings and comments of a module, or the text, list entries and table cells of a document."""
    if file.endswith(".py"):
        return [*docstrings(source), *comments(source)]
    return re.split(r"\n\s*(?:[-*]|\d+\.) |\n\s*\n|\|", _NOT_PROSE.sub("", source))


def docstrings(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield from (ast.get_docstring(node) or "").split("\n\n")


def comments(source: str) -> list[str]:
    """Each comment. A line right below another one, at the same place, goes on with it."""
    found, last = [""], (0, 0)
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            text, (line, column) = _MARK.sub("", token.string, count=1), token.start
            goes_on = last == (line - 1, column) and token.line.lstrip().startswith("#")
            found[-1:] = [f"{found[-1]} {text}"] if goes_on else [found[-1], text]
            last = token.start
    return found


def breaches(file: str, source: str) -> list[str]:
    texts = [re.sub(r"`[^`]*`", "code", text).strip() for text in paragraphs(file, source)]
    sentences = [sentence for text in texts for sentence in re.split(r"(?<=[.?!])[*_\"')]*\s+", text)]
    return [sentence for sentence in sentences if _NOUN.match(sentence) and not re.search(r"\?\W*$", sentence)]


@pytest.mark.parametrize("file", files())
def test_no_sentence_begins_with_such_a_noun(file: str) -> None:
    assert breaches(file, (ROOT / file).read_text()) == []


def test_such_a_sentence_is_found_wherever_it_stands() -> None:
    module = '"""A.\n\nWhat is it? Whoever asks."""\nx = 1  # noqa: S1 what stays\n# One. `A`\n# b. Whose\n# c.\n'
    assert breaches("a.py", module) == ["Whoever asks.", "what stays", "Whose c."]
    text = "# What it is\n\nA. **Who *b*.** C.\n\n- what c\n\n| who |\n|--|\n| Whatever |\n\n`what`?\n"
    assert breaches("a.md", text) == ["**Who *b*.", "what c", "Whatever"]
