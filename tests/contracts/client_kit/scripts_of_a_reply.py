"""The scripts of one reply: its deltas come late, twice, in another order or never, and it ends in each way."""

from shared.actions.chats.change import change_chat
from shared.actions.replies.finish import Answer, fail_reply
from shared.actions.replies.stop import stop_reply
from shared.errors.replies import ModelTimeout
from tests.contracts.client_kit.recorder import Recorder, Step
from tests.contracts.client_kit.reply import LONG, TEXTS, Reply
from tests.contracts.client_kit.script import script

# A family of four joined to one picture, a letter and its accent, a flag, and a change of direction.
UNICODE = [
    "\U0001f468",
    "\u200d\U0001f469\u200d",
    "\U0001f467 e",
    "\u0301 \U0001f1eb",
    "\U0001f1f7 \u202b\u05e9\u05dc\u05d5\u05dd\u202c.",
]


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
    renamed = recorder.heard(lambda: change_chat(reply.user_id, reply.chat, "Another title"))
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
