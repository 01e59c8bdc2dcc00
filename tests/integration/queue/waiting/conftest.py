"""Three messages that wait in one chat."""

import pytest

from shared.models import ChatSession
from tests.factories import a_post
from tests.integration.queue.waiting.asking import Three


@pytest.fixture
def three(chat: ChatSession) -> Three:
    """Three messages that wait. The first has its turn, but no worker has it."""
    return a_post(chat, "One"), a_post(chat, "Two"), a_post(chat, "Three")
