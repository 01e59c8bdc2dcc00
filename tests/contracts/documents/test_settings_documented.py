"""Operators read `.env.example`, so it names every setting, with its default and a sentence."""

import re
from dataclasses import Field, fields
from pathlib import Path
from typing import Any

import pytest

from shared.settings import Settings

ROOT = Path(__file__).parents[3]
EXAMPLE = (ROOT / ".env.example").read_text()
SETTINGS = {setting.metadata["name"]: setting.metadata["default"] for setting in fields(Settings)}


def documented() -> dict[str, str]:
    lines = [line for line in EXAMPLE.splitlines() if line and not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)


def test_every_setting_is_documented_and_nothing_else() -> None:
    assert documented().keys() == SETTINGS.keys()


@pytest.mark.parametrize("name", SETTINGS)
def test_the_documented_default_is_the_one_in_the_code(name: str) -> None:
    default, shown = SETTINGS[name], documented()[name]
    if isinstance(default, bool):
        assert shown == str(default).lower()
    elif isinstance(default, int | float):
        assert float(shown) == default
    else:
        assert shown == ("" if default == [] else str(default))


@pytest.mark.parametrize("name", [setting.name for setting in fields(Settings)])
def test_every_setting_is_read_somewhere(name: str) -> None:
    """The code uses a setting as in `self._settings.name` or `current_settings().name`."""
    files = [file for folder in ("api", "shared", "workers") for file in (ROOT / folder).rglob("*.py")]
    reads = re.compile(rf"settings(\(\))?\.{name}\b|\bself\.{name}\b")
    assert any(reads.search(file.read_text()) for file in files if file.name != "mistakes.py")


def test_every_group_of_settings_has_a_sentence() -> None:
    for group in EXAMPLE.split("\n\n"):
        comment = " ".join(line for line in group.splitlines() if line.startswith("#"))
        assert comment.endswith("."), group


@pytest.mark.parametrize("setting", [each for each in fields(Settings) if each.metadata["kind"] in ("int", "float")])
def test_every_number_has_a_maximum_and_the_page_says_it(setting: Field[Any]) -> None:
    name, rule = setting.metadata["name"], setting.metadata["rule"]
    group = next(group for group in EXAMPLE.split("\n\n") if f"\n{name}=" in group)
    comment = " ".join(line for line in group.splitlines() if line.startswith("#"))
    assert str(rule.max) in re.findall(r"\d+", comment)
