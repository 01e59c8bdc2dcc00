"""CONTRIBUTING.md maps each folder of code to the folders of its tests. Every folder is there, and each one exists."""

import re
import subprocess
from pathlib import Path, PurePosixPath

import pytest

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "CONTRIBUTING.md").read_text()
HEADING = "## Where the tests of a module are"
CODE = ("api", "shared", "workers")
DEFINED = re.compile(r"^def (test_\w+)", re.MULTILINE)
TESTS = ("tests/unit", "tests/integration", "tests/faults", "tests/edge")


def folders() -> set[str]:
    """Each folder of code, and each one right below a folder of tests, as far as git knows."""
    listed = subprocess.run(["git", "ls-files", *CODE, *TESTS], cwd=ROOT, capture_output=True, text=True, check=True)
    parents = {folder for file in listed.stdout.splitlines() for folder in PurePosixPath(file).parents}
    return {str(folder) for folder in parents if folder.parts[:1] and is_mapped(folder)}


def is_mapped(folder: PurePosixPath) -> bool:
    return folder.parts[0] in CODE or str(folder.parent) in TESTS


def mapped(text: str) -> set[str]:
    """The folders that the tables under the heading name."""
    section = re.split(r"^## ", text.partition(HEADING)[2], flags=re.MULTILINE)[0]
    rows = [line for line in section.splitlines() if line.startswith("| `")]
    return {name for row in rows for name in re.findall(r"`([\w/]+)/`", row)}


def mistakes(text: str) -> list[str]:
    """Folders that the map names but that do not exist, and folders that it leaves out."""
    gone = [f"{name} does not exist" for name in mapped(text) if not (ROOT / name).is_dir()]
    return sorted([*gone, *(f"{name} is not in the map" for name in folders() - mapped(text))])


def test_the_map_has_every_folder_and_no_other() -> None:
    assert mistakes(TEXT) == []


def test_each_file_and_test_that_is_named_exists() -> None:
    files = set(re.findall(r"`((?:api|docs|shared|tests|workers)/[\w/]+\.\w+)`", TEXT))
    assert [name for name in files if not (ROOT / name).is_file()] == []
    defined = {name for file in (ROOT / "tests").rglob("*.py") for name in DEFINED.findall(file.read_text())}
    assert set(re.findall(r"`(test_\w+)`", TEXT)) <= defined


@pytest.mark.parametrize("name", ["shared/actions/replies", "tests/integration/replies", "tests/faults/naive"])
def test_a_folder_that_moved_is_found(name: str) -> None:
    moved = TEXT.replace(f"`{name}/`", f"`{name}_elsewhere/`")
    assert mistakes(moved) == sorted([f"{name} is not in the map", f"{name}_elsewhere does not exist"])
