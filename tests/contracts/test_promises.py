"""The bound that the README publishes is the one that the settings and the code give."""

import re
from dataclasses import fields
from pathlib import Path

from shared.actions.replies.states import HUNG_AFTER
from shared.settings import SLOWEST_SWEEP, Settings

README = Path(__file__).parent.parent.parent / "README.md"


def test_the_published_bound_is_computed_from_the_defaults() -> None:
    default = {entry.name: entry.metadata["default"] for entry in fields(Settings)}
    sweeps = 2 * SLOWEST_SWEEP * default["sweep_seconds"]
    seconds = default["queue_timeout"] + default["reply_timeout"] + HUNG_AFTER / 1000 + sweeps
    published = re.search(r"= (\d+) min (\d+) s by default", README.read_text())
    assert published
    assert int(published[1]) * 60 + int(published[2]) == round(seconds)
