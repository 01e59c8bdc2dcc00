"""A long day in several chats, for events in any order. One chat is beyond the client's first page."""

from typing import Any

from shared.actions.chats.change import change_chat, see_chat
from shared.actions.chats.create import create_chat
from shared.actions.chats.delete import delete_chat
from shared.actions.messages.delete import delete_message
from shared.actions.messages.idempotency import PostRequest
from shared.actions.messages.post import post_message
from shared.actions.queue.parking import resume_queue
from shared.actions.replies.finish import Answer, complete_reply, fail_reply
from shared.actions.replies.stop import stop_reply
from shared.errors.replies import ModelTimeout
from tests.contracts.client_kit.recorder import Recorder
from tests.contracts.client_kit.reply import LONG, TEXTS, Reply


class Story:
    """A bit of everything. `heard` has all events, for any order; `first` has the readings before them."""

    def __init__(self, recorder: Recorder) -> None:
        self.recorder, self.user_id = recorder, recorder.user.id
        far, other = (create_chat(self.user_id, title).id for title in ("Beyond the page", "The other"))
        one = Reply(recorder)
        self.chat, self.first = one.chat, recorder.first(one.chat, chats=2)
        self.first |= {name: one.first[name] for name in ("cursor", "credits", "messages")}
        self.heard = [*one.posted, *one.started, *one.deltas, *one.give_back()]
        self.heard += recorder.heard(one.claim) + recorder.heard(one.write) + one.complete()
        self.heard += recorder.heard(lambda: self._in_the_open_chat(other))
        self.heard += recorder.heard(lambda: self._elsewhere(far, other))

    def _in_the_open_chat(self, other: str) -> None:
        self._post(other)
        change_chat(self.user_id, self.chat, "Renamed")
        see_chat(self.user_id, self.chat, 10**6)
        self._post(self.chat)
        self._stop()
        self._post(self.chat)
        delete_message(self.user_id, self.chat, self.posted.message.id)
        self._post(self.chat)
        self._write()
        delete_message(self.user_id, self.chat, self.posted.message.id)
        self._post(self.chat)
        self._complete(*LONG)
        delete_chat(self.user_id, other)

    def _elsewhere(self, far: str, other: str) -> None:
        new = create_chat(self.user_id, "Created later").id
        self._post(far)
        self._fail()
        self._post(far)
        self._complete("A text")
        self._post(new)
        self._fail()
        change_chat(self.user_id, far, "Renamed, beyond")
        resume_queue(self.user_id, new)
        self._post(new)
        self._complete("A text")
        self._post(self.chat)

    def _post(self, chat: str) -> None:
        self.posted = post_message(self.user_id, PostRequest(chat, "And now", "fake"))

    def _write(self, *texts: str) -> None:
        self.claim = self.recorder.claim(self.posted.reply.id)
        self.recorder.write(self.claim, *(texts or TEXTS))

    def _stop(self) -> None:
        self._write()
        stop_reply(self.user_id, self.chat, self.claim.id)

    def _fail(self) -> None:
        self._write()
        fail_reply(self.claim, ModelTimeout(), Answer("".join(TEXTS), len(TEXTS)))

    def _complete(self, *texts: str) -> None:
        self._write(*texts)
        complete_reply(self.claim, Answer("".join(texts), len(texts), "fake", "stop"))

    def name(self, place: int | None) -> str:
        """The name of the step at this place of an order."""
        return "a page of changes" if place is None else str(self.heard[place]["event"])

    def answers(self) -> dict[str, Any]:
        """The answer to a `GET` of each message of the open chat. A message without one is deleted."""
        items = self.recorder.me.get(f"/chats/{self.chat}/messages").json["items"]
        return {item["id"]: item for item in items}
