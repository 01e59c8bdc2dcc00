"""The calls with which a worker ends a reply or notes its first text."""

from collections.abc import Callable

from shared.actions.replies.claim import Claim
from shared.actions.replies.finish import Answer, complete_reply, fail_reply, note_first_text
from shared.errors.replies import ModelRejected

ANSWER = Answer("All of it", 3, "fake-2", "stop", 12, 34)
ENDINGS: dict[str, Callable[[Claim], object]] = {
    "complete": lambda claim: complete_reply(claim, ANSWER),
    "fail": lambda claim: fail_reply(claim, ModelRejected(), ANSWER),
    "note the first text": note_first_text,
}
