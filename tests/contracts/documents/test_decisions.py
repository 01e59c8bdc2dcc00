"""DECISIONS.md has whole entries, and an entry for each number named anywhere. Documents have no long lines."""

import re
import subprocess
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "DECISIONS.md").read_text()
NAMING = ("*.py", "*.md", "*.js", "*.yaml", "*.toml")
DOCUMENTS = sorted(file for folder in (".", "docs", "benchmarks") for file in (ROOT / folder).glob("*.md"))
HEADING = re.compile(r"^### D-(\d\d+) \S", re.MULTILINE)
# The parts of each entry, in this order.
PARTS = (r"^\d{4}-\d\d-\d\d$", r"^- \*\*Status\*\* \S", r"^- \*\*Why\*\* \S", r"^- \*\*Revisit when\*\* \S")


def mistakes(text: str) -> list[str]:
    """Numbers that are missing, doubled or out of order in their section, and entries that lack a part."""
    numbers = [int(number) for number in HEADING.findall(text)]
    found = [] if sorted(numbers) == [*range(1, len(numbers) + 1)] else ["a number is missing or doubled"]
    for section in re.split(r"^## ", text, flags=re.MULTILINE):
        pairs = pairwise(map(int, HEADING.findall(section)))
        found += [f"{number} stands after {before}" for before, number in pairs if number <= before]
    entries = [entry for entry in re.split(r"^##+ ", text, flags=re.MULTILINE) if entry.startswith("D-")]
    return found + [entry[:60] for entry in entries if not re.search("(?ms)" + ".*".join(PARTS), entry)]


def long_lines(text: str) -> list[str]:
    """Lines of more than 120 characters outside blocks of code, where a command can't be broken."""
    prose = re.sub(r"(?ms)^```.*?^```$", "", text)
    return [line for line in prose.splitlines() if len(line) > 120]


def test_each_entry_is_whole_and_in_order() -> None:
    assert mistakes(TEXT) == []


@pytest.mark.parametrize("part", ["### D-02 ", "\n20", "- **Status** ", "- **Why** ", "- **Revisit when** "])
def test_an_entry_without_a_part_is_found(part: str) -> None:
    before, start, entry = TEXT.partition("### D-02 ")
    assert mistakes(before + (start + entry).replace(part, "", 1))


def without_a_mark(text: str) -> list[str]:
    """Entries that another one supersedes, but whose own status does not say so."""
    entries = {part.split()[0]: part for part in re.split(r"^### D-", text, flags=re.MULTILINE)[1:]}
    replaced = [(old, new) for new, entry in entries.items() for old in re.findall(r"\bsupersedes D-(\d+)", entry)]
    return [f"D-{old}" for old, new in replaced if f"superseded by D-{new}" not in entries[old]]


def test_an_entry_that_is_superseded_says_so() -> None:
    assert without_a_mark(TEXT) == []
    assert without_a_mark(TEXT.replace("superseded by D-61", "accepted")) == ["D-60"]


def test_each_number_that_is_named_is_there() -> None:
    command = ["git", "grep", "-ohwE", "D-[0-9]+", "--", *NAMING]
    named = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    assert set(named) <= {f"D-{number}" for number in HEADING.findall(TEXT)}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda file: str(file.relative_to(ROOT)))
def test_a_document_has_no_long_lines(document: Path) -> None:
    assert long_lines(document.read_text()) == []


def test_a_long_line_is_found_outside_code() -> None:
    assert long_lines(f"{'x' * 121}\n```\n{'y' * 121}\n```") == ["x" * 121]
