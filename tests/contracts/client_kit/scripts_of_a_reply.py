"""The scripts of the kit, recorded from the real product and then bent. Each gives the screen a client must show."""

from collections.abc import Callable
from typing import Any

from shared.actions.chats.change import rename_chat, see_chat
from shared.actions.chats.create import create_chat
from shared.actions.chats.delete import delete_chat
from shared.actions.messages.delete import delete_message
from shared.actions.messages.idempotency import PostRequest
from shared.actions.messages.post import post_message
from shared.actions.replies.finish import Answer, complete_reply, fail_reply
from shared.actions.replies.release import give_back
from shared.actions.replies.stop import stop_reply
from shared.errors.replies import ModelTimeout
from tests.contracts.client_kit.recorder import Recorder, Step

TEXTS = ["One ", "two ", "three ", "four ", "five."]
# A family of four joined to one picture, a letter and its accent, a flag, and a change of direction.
UNICODE = [
    "\U0001f468",
    "\u200d\U0001f469\u200d",
    "\U0001f467 e",
    "\u0301 \U0001f1eb",
    "\U0001f1f7 \u202b\u05e9\u05dc\u05d5\u05dd\u202c.",
]
LONG = ["0123456789" * 300, "abcdefghij" * 300, "." * 3000]
_SCRIPTS: dict[str, tuple[str, Callable[[Recorder], Step]]] = {}


def script(title: str) -> Callable[[Callable[[Recorder], Step]], Callable[[Recorder], Step]]:
    """Give a script its title: the task that a client has to get right."""

    def listed(record: Callable[[Recorder], Step]) -> Callable[[Recorder], Step]:
        _SCRIPTS[record.__name__] = (title, record)
        return record

    return listed


def record(name: str, recorder: Recorder) -> Step:
    """One script: its title, the client's first readings, the steps, and the screen at the end."""
    title, recorded = _SCRIPTS[name]
    made = recorded(recorder)
    return {"title": title, "first": made["first"], "steps": made["steps"], "screen": made["screen"]}


def names() -> list[str]:
    return list(_SCRIPTS)


class Reply:
    """One chat with a question in it, and a reply that a worker has claimed and written."""

    def __init__(self, recorder: Recorder, texts: list[str] = TEXTS) -> None:
        self.recorder, self.texts, self.user_id = recorder, texts, recorder.user.id
        self.chat = create_chat(self.user_id, "A chat").id
        self.first = recorder.first(self.chat)
        self.posted = recorder.heard(self.post)
        self.started = recorder.heard(self.claim)
        self.deltas = recorder.heard(self.write)

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


@script("A reply, heard from its beginning to its end")
def in_order(recorder: Recorder) -> Step:
    reply = Reply(recorder)
    halfway = reply.screen(content="One two three ")
    steps = [*reply.posted, *reply.started, *reply.deltas[:3], halfway, *reply.deltas[3:]]
    return reply.made([*steps, *reply.complete()])


@script("Everything comes twice, and some of it much later again")
def repeated(recorder: Recorder) -> Step:
    reply = Reply(recorder)
    heard = [*reply.posted, *reply.started, *reply.deltas, *reply.complete()]
    return reply.made([step for step in heard for _ in range(2)] + heard)


@script("The end comes before the deltas, and the beginning last")
def reversed_order(recorder: Recorder) -> Step:
    reply = Reply(recorder)
    heard = [*reply.posted, *reply.started, *reply.deltas, *reply.complete()]
    return reply.made(heard[::-1])


@script("Deltas change places within their attempt")
def shuffled_deltas(recorder: Recorder) -> Step:
    reply = Reply(recorder)
    deltas = [reply.deltas[index] for index in (1, 0, 4, 3, 2)]
    waiting = reply.screen(reply.reply_id, content="One two ")
    steps = [*reply.posted, *reply.started, *deltas[:3], waiting, *deltas[3:], reply.screen(content="".join(TEXTS))]
    return reply.made([*steps, *reply.complete()])


@script("A delta never comes: the message is asked for, and what came after the gap is not lost")
def missing_delta(recorder: Recorder) -> Step:
    reply = Reply(recorder)
    chat = reply.recorder
    steps = [*reply.posted, *reply.started, reply.deltas[0], *reply.deltas[2:4]]
    steps += [reply.screen(reply.reply_id, content="One "), chat.message(reply.claimed), reply.deltas[4]]
    return reply.made([*steps, reply.screen(content="".join(TEXTS)), *reply.complete()])


@script("An event with a number never comes: the changes are asked for")
def missing_event(recorder: Recorder) -> Step:
    reply = Reply(recorder)
    renamed = recorder.heard(lambda: rename_chat(reply.user_id, reply.chat, "Another title"))
    ended = reply.complete()
    cursor = reply.first["cursor"]
    asks = {"screen": recorder.screen(reply.chat, "sync")}
    asks["screen"]["chats"][0]["title"] = "A chat"
    steps = [*reply.posted, *reply.started, *reply.deltas, *ended, asks, recorder.sync(cursor + 4)]
    assert [renamed[0]["data"]["seq"], ended[0]["data"]["seq"]] == [cursor + 5, cursor + 6]
    return reply.made(steps)


@script("A second attempt: text starts over, and what is late of the first one is dropped")
def second_attempt(recorder: Recorder) -> Step:
    reply = Reply(recorder)
    back = reply.give_back()
    steps = [*reply.posted, *reply.started, *reply.deltas[:4], *back, *reply.started]
    steps += [reply.screen(status="pending", content="".join(TEXTS[:4]))]
    again, late = recorder.heard(reply.claim), reply.deltas[4:]
    steps += [*again, reply.screen(content=""), *late]
    deltas = recorder.heard(reply.write)
    steps += [*deltas[:2], *reply.deltas[2:], reply.screen(content="One two "), *deltas[2:], *back]
    return reply.made([*steps, *reply.complete(), *reply.deltas])


@script("Deltas of a second attempt come before the event that begins it")
def attempt_begun_by_a_delta(recorder: Recorder) -> Step:
    reply = Reply(recorder)
    back, again = reply.give_back(), recorder.heard(reply.claim)
    deltas = recorder.heard(reply.write)
    steps = [*reply.posted, *reply.started, *reply.deltas[:3], *deltas[:1]]
    steps += [reply.screen(content="One "), *back, *again, *deltas[1:]]
    return reply.made([*steps, reply.screen(content="".join(TEXTS)), *reply.complete()])


@script("A client that comes in the middle sees all text at once, then only what is new")
def second_device(recorder: Recorder) -> Step:
    reply = Reply(recorder, TEXTS[:3])
    first = recorder.first(reply.chat)
    more = recorder.heard(lambda: recorder.write(reply.claimed, *TEXTS[3:], first=3))
    reply.texts = TEXTS
    steps = [*reply.deltas[1:], *more, reply.screen(content="".join(TEXTS)), *reply.complete()]
    return reply.made(steps, first)


@script("Asleep across the end: the changes bring it")
def asleep(recorder: Recorder) -> Step:
    reply = Reply(recorder)
    reply.complete()
    cursor = reply.first["cursor"]
    return reply.made([*reply.posted, *reply.started, *reply.deltas[:2], recorder.sync(cursor + 4)])


@script("Away in the middle: the changes bring the text so far, and the deltas go on from there")
def away_in_the_middle(recorder: Recorder) -> Step:
    reply = Reply(recorder, TEXTS[:3])
    page = recorder.sync(reply.first["cursor"] + 4)
    more = recorder.heard(lambda: recorder.write(reply.claimed, *TEXTS[3:], first=3))
    reply.texts = TEXTS
    steps = [*reply.posted, *reply.started, reply.deltas[0], page, reply.screen(content="".join(TEXTS[:3])), *more]
    return reply.made([*steps, reply.screen(content="".join(TEXTS)), *reply.complete()])


@script("Any Unicode: pieces that mean something only together")
def unicode(recorder: Recorder) -> Step:
    reply = Reply(recorder, UNICODE)
    halfway = reply.screen(content="".join(UNICODE[:3]))
    steps = [*reply.posted, *reply.started, *reply.deltas[:3], halfway, *reply.deltas[3:]]
    return reply.made([*steps, reply.screen(content="".join(UNICODE)), *reply.complete()])


@script("A long reply ends without its text: who has all deltas has all of it")
def long_reply_followed(recorder: Recorder) -> Step:
    reply = Reply(recorder, LONG)
    return reply.made([*reply.posted, *reply.started, *reply.deltas, *reply.complete()])


@script("A long reply ends without its text: who lacks a delta asks for the message")
def long_reply_with_a_hole(recorder: Recorder) -> Step:
    reply = Reply(recorder, LONG)
    ended = reply.complete()
    lacking = reply.screen(reply.reply_id, content=LONG[0])
    steps = [*reply.posted, *reply.started, *reply.deltas[:1], *ended, lacking]
    return reply.made([*steps, recorder.message(reply.claimed)])


@script("A reply fails: its text so far stays, the credits return")
def failed(recorder: Recorder) -> Step:
    reply = Reply(recorder, TEXTS[:2])
    ended = recorder.heard(lambda: fail_reply(reply.claimed, ModelTimeout(), Answer("One two ", 2)))
    return reply.made([*reply.posted, *reply.started, *reply.deltas, *ended])


@script("Stopped elsewhere: the text so far stays, the chat waits, and nothing late is taken")
def stopped(recorder: Recorder) -> Step:
    reply = Reply(recorder)
    ended = recorder.heard(lambda: stop_reply(reply.user_id, reply.chat, reply.reply_id))
    return reply.made([*reply.posted, *reply.started, *reply.deltas[:2], *ended, *reply.deltas[2:], *reply.started])


@script("A question is deleted elsewhere, and its answer with it: what is late about them brings nothing back")
def message_deleted(recorder: Recorder) -> Step:
    reply = Reply(recorder)
    ended = reply.complete()
    deleted = recorder.heard(lambda: delete_message(reply.user_id, reply.chat, reply.question_id))
    return reply.made([*reply.posted, *reply.started, *reply.deltas, *deleted, *ended, *reply.deltas])


@script("A chat is deleted elsewhere: what is late about it brings nothing back")
def chat_deleted(recorder: Recorder) -> Step:
    reply = Reply(recorder)
    renamed = recorder.heard(lambda: rename_chat(reply.user_id, reply.chat, "Another title"))
    deleted = recorder.heard(lambda: delete_chat(reply.user_id, reply.chat))
    steps = [*reply.posted, *reply.started, *deleted, *reply.deltas, *reply.started, *renamed]
    return reply.made(steps)


@script("A chat was deleted while nobody listened: its tombstone stands for its messages")
def chat_deleted_while_away(recorder: Recorder) -> Step:
    reply = Reply(recorder)
    delete_chat(reply.user_id, reply.chat)
    page = recorder.sync(reply.first["cursor"] + 4)
    return reply.made([*reply.posted, *reply.started, *reply.deltas[:2], page, *reply.deltas[2:]])


@script("Another chat is answered and is unread, until it is seen on some device")
def unread(recorder: Recorder) -> Step:
    first_chat = create_chat(recorder.user.id, "The open one").id
    reply = Reply(recorder)
    first = recorder.first(first_chat)
    steps = recorder.heard(lambda: complete_reply(reply.claimed, Answer("All", 5, "fake", "stop")))
    steps += [{"screen": recorder.screen(first_chat)}]
    assert steps[-1]["screen"]["chats"][0]["unread"]
    steps += recorder.heard(lambda: see_chat(recorder.user.id, reply.chat, 10**6))
    return {"first": first, "steps": steps, "screen": recorder.screen(first_chat)}


@script("Balances change places: the newest one stays")
def balances(recorder: Recorder) -> Step:
    reply = Reply(recorder)
    ended = reply.complete()
    return reply.made([*reply.posted[:2], *reply.started, *reply.deltas, *ended, reply.posted[2]])


@script("Away for too long: everything is read anew, and nothing older counts")
def reset(recorder: Recorder) -> Step:
    reply = Reply(recorder)
    reply.complete()
    anew = recorder.first(reply.chat)
    del anew["credits"]
    elsewhere = {"event": "chat.created", "data": anew["chats"]["items"][0] | {"id": "gone", "seq": 10**6}}
    steps = [*reply.posted, *reply.started, *reply.deltas[:2], elsewhere]
    steps += [{"sync": {"reset": True, "cursor": anew["cursor"]}, "anew": anew}, recorder.sync(anew["cursor"])]
    return reply.made(steps)


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
