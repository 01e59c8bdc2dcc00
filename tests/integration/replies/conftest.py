"""A reply that waits for a worker, and one that a worker has claimed."""

import pytest

from shared.actions.messages.accept import Posted
from shared.actions.replies.claim import Claim
from shared.models import ChatSession
from tests.factories import a_claim, a_post
from workers.sweeper import sweep


@pytest.fixture
def claim(chat: ChatSession) -> Claim:
    return a_claim(a_post(chat))


@pytest.fixture
def posted(chat: ChatSession) -> Posted:
    """A post after a first sweep, so that Redis holds the sweeper's marker."""
    sweep()
    return a_post(chat)
