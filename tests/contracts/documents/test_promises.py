"""The README and docs/promises.md publish the bound that follows from the settings and the code."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from shared.actions.replies.states import HUNG_AFTER
from shared.settings import SLOWEST_SWEEP, Settings

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    ("document", "bound"),
    [("README.md", r"(\d+) min (\d+) s \(by default\)"), ("docs/promises.md", r"= (\d+) min (\d+) s by default")],
)
def test_the_published_bound_is_computed_from_the_defaults(document: str, bound: str) -> None:
    default = {entry.name: entry.metadata["default"] for entry in fields(Settings)}
    sweeps = 2 * SLOWEST_SWEEP * default["sweep_seconds"]
    seconds = default["queue_timeout"] + default["reply_timeout"] + HUNG_AFTER / 1000 + sweeps
    published = re.search(bound, (ROOT / document).read_text())
    assert published
    assert int(published[1]) * 60 + int(published[2]) == round(seconds)
