"""A long story in two chats, for events in any order."""

from typing import Any

from shared.actions.chats.change import rename_chat, see_chat
from shared.actions.chats.create import create_chat
from shared.actions.chats.delete import delete_chat
from shared.actions.messages.delete import delete_message
from shared.actions.messages.idempotency import PostRequest
from shared.actions.messages.post import post_message
from shared.actions.replies.finish import Answer, complete_reply
from shared.actions.replies.stop import stop_reply
from tests.contracts.client_kit.recorder import Recorder
from tests.contracts.client_kit.reply import LONG, TEXTS, Reply


class Story:
    """A bit of everything in two chats. `heard` has all events, for any order; `first` has the readings before them."""

    def __init__(self, recorder: Recorder) -> None:
        other = create_chat(recorder.user.id, "The other").id
        one = Reply(recorder)
        self.recorder, self.chat, self.first = recorder, one.chat, one.first
        self.heard = [*one.posted, *one.started, *one.deltas, *one.give_back()]
        self.heard += recorder.heard(one.claim) + recorder.heard(one.write) + one.complete()
        self.heard += recorder.heard(lambda: self._post(other))
        self.heard += recorder.heard(lambda: rename_chat(recorder.user.id, one.chat, "Renamed"))
        self.heard += recorder.heard(lambda: see_chat(recorder.user.id, one.chat, 10**6))
        self.heard += recorder.heard(lambda: self._post(one.chat)) + recorder.heard(self._stop)
        self.heard += recorder.heard(lambda: self._post(one.chat)) + recorder.heard(self._delete)
        self.heard += recorder.heard(lambda: self._post(one.chat))
        self.heard += recorder.heard(self._write_on) + recorder.heard(lambda: delete_chat(recorder.user.id, other))
        self.heard += recorder.heard(lambda: self._post(one.chat))

    def _post(self, chat: str) -> None:
        self.posted = post_message(self.recorder.user.id, PostRequest(chat, "And now", "fake"))

    def _stop(self) -> None:
        claim = self.recorder.claim(self.posted.reply.id)
        self.recorder.write(claim, *TEXTS)
        stop_reply(self.recorder.user.id, self.chat, claim.id)

    def _delete(self) -> None:
        delete_message(self.recorder.user.id, self.chat, self.posted.message.id)

    def _write_on(self) -> None:
        claim = self.recorder.claim(self.posted.reply.id)
        self.recorder.write(claim, *LONG)
        complete_reply(claim, Answer("".join(LONG), len(LONG), "fake", "stop"))

    def answers(self) -> dict[str, Any]:
        """The answer to a `GET` of each message of the open chat."""
        items = self.recorder.me.get(f"/chats/{self.chat}/messages").json["items"]
        return {item["id"]: item for item in items}
