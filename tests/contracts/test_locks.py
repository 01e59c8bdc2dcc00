"""The locks pin each package with hashes, and name no host and no folder. The tests' lock holds the programs' lock."""

import re
from pathlib import Path

import pytest

LOCKS = Path(__file__).parents[2] / "locks"


def pins(name: str) -> set[str]:
    return set(re.findall(r"^\S+==[^ \\]+", (LOCKS / f"{name}.txt").read_text(), re.MULTILINE))


@pytest.mark.parametrize("name", ["run", "dev", "node"])
def test_a_lock_names_no_host_and_no_folder(name: str) -> None:
    assert not re.search(r"://|[ =]/\w|@ ", (LOCKS / f"{name}.txt").read_text())


@pytest.mark.parametrize("name", ["run", "dev", "node"])
def test_every_package_of_a_lock_has_a_hash(name: str) -> None:
    entries = re.split(r"^(?=\S+==)", (LOCKS / f"{name}.txt").read_text(), flags=re.MULTILINE)
    assert len(pins(name)) == len(entries) - 1
    assert all("--hash=sha256:" in entry for entry in entries[1:])


def test_what_is_tested_is_what_runs() -> None:
    assert pins("run") <= pins("dev")
