"""The server refuses a request without a trace."""

import logging
from typing import Any

import pytest
from flask import Flask

from shared.models import ChatSession
from tests.channel import Channel
from tests.eventually import at_most
from tests.factories import nothing_changes


@pytest.fixture
def is_refused_without_a_trace(
    core: Flask, chat: ChatSession, channel: Channel, caplog: pytest.LogCaptureFixture
) -> Any:
    """Around a test of refusals: the same rows, no events, no error in the log, and at most two seconds."""
    channel.forget()
    with nothing_changes(), at_most(2):
        yield
    assert channel.heard() == []
    assert [record for record in caplog.get_records("call") if record.levelno >= logging.ERROR] == []
