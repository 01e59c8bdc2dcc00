"""The scripts of changes elsewhere: chats and messages are deleted, seen and read anew, and credits change."""

from shared.actions.chats.change import change_chat, see_chat
from shared.actions.chats.create import create_chat
from shared.actions.chats.delete import delete_chat
from shared.actions.messages.delete import delete_message
from shared.actions.messages.idempotency import PostRequest
from shared.actions.messages.post import post_message
from shared.actions.replies.finish import Answer, complete_reply
from shared.actions.replies.stop import stop_reply
from tests.contracts.client_kit.recorder import Recorder, Step
from tests.contracts.client_kit.reply import Reply
from tests.contracts.client_kit.script import script


@script("A question is deleted elsewhere, and its answer with it: what is late about them brings nothing back")
def message_deleted(recorder: Recorder) -> Step:
    reply = Reply(recorder)
    ended = reply.complete()
    deleted = recorder.heard(lambda: delete_message(reply.user_id, reply.chat, reply.question_id))
    return reply.made([*reply.posted, *reply.started, *reply.deltas, *deleted, *ended, *reply.deltas])


@script("A chat is deleted elsewhere: what is late about it brings nothing back")
def chat_deleted(recorder: Recorder) -> Step:
    reply = Reply(recorder)
    renamed = recorder.heard(lambda: change_chat(reply.user_id, reply.chat, "Another title"))
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


@script("A message is only stored in a parked chat: the chat stays parked and read, and the other one waits")
def stored_only(recorder: Recorder) -> Step:
    reply = Reply(recorder)
    waiting = recorder.heard(reply.post)
    stopped = recorder.heard(lambda: stop_reply(reply.user_id, reply.chat, reply.claimed.id))
    note = PostRequest(reply.chat, "Only stored", generate=False)
    stored = recorder.heard(lambda: post_message(reply.user_id, note))
    return reply.made([*reply.posted, *reply.started, *reply.deltas, *waiting, *stopped, *stored])
