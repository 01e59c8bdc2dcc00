"""One chat with a reply, recorded step by step: most scripts bend these steps."""

from typing import Any

from shared.actions.chats.create import create_chat
from shared.actions.messages.idempotency import PostRequest
from shared.actions.messages.post import post_message
from shared.actions.replies.finish import Answer, complete_reply
from shared.actions.replies.release import give_back
from tests.contracts.client_kit.recorder import Recorder, Step

TEXTS = ["One ", "two ", "three ", "four ", "five."]
LONG = ["0123456789" * 300, "abcdefghij" * 300, "." * 3000]


class Reply:
    """One chat with a question in it, and a reply that a worker has claimed and written."""

    def __init__(self, recorder: Recorder, texts: list[str] = TEXTS) -> None:
        self.recorder, self.texts, self.user_id = recorder, texts, recorder.user.id
        self.created = recorder.heard(self.create)
        self.first = recorder.first(self.chat)
        self.posted = recorder.heard(self.post)
        self.started = recorder.heard(self.claim)
        self.deltas = recorder.heard(self.write)

    def create(self) -> None:
        self.chat = create_chat(self.user_id, "A chat").id

    def post(self) -> None:
        posted = post_message(self.user_id, PostRequest(self.chat, "Count to five", "fake"))
        self.question_id, self.reply_id = posted.message.id, posted.reply.id

    def claim(self) -> None:
        self.claimed = self.recorder.claim(self.reply_id)

    def write(self) -> None:
        self.recorder.write(self.claimed, *self.texts)

    def complete(self) -> list[Step]:
        answer = Answer("".join(self.texts), len(self.texts), "fake", "stop", 3, 5)
        return self.recorder.heard(lambda: complete_reply(self.claimed, answer))

    def give_back(self) -> list[Step]:
        return self.recorder.heard(lambda: give_back(self.claimed, 0))

    def made(self, steps: list[Step], first: Step | None = None, *asks: str) -> Step:
        screen = self.recorder.screen(self.chat, *asks)
        return {"first": first or self.first, "steps": steps, "screen": screen}

    def screen(self, *asks: str, **reply: Any) -> Step:
        """The screen so far. The fields in `reply` are those of a client that followed the steps."""
        screen = self.recorder.screen(self.chat, *asks)
        screen["messages"][-1] |= reply
        return {"screen": screen}
