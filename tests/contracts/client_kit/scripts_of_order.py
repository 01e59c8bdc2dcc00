"""The scripts of chats and messages that arrive in an unusual order, or that a client has not read yet."""

from shared.actions.chats.change import change_chat
from shared.actions.chats.create import create_chat
from shared.actions.chats.delete import delete_chat
from shared.actions.messages.accept import Posted
from shared.actions.messages.delete import delete_message
from shared.actions.messages.edit import EditRequest, edit_message
from shared.actions.messages.idempotency import PostRequest
from shared.actions.messages.post import post_message
from shared.actions.queue.reorder import reorder_queue
from shared.actions.replies.finish import Answer, fail_reply
from shared.errors.replies import ModelTimeout
from tests.contracts.client_kit.recorder import Recorder, Step
from tests.contracts.client_kit.reply import Reply
from tests.contracts.client_kit.script import script


@script("A chat beyond the first page becomes active elsewhere: the changes bring it, and it stands first")
def chat_beyond_the_page(recorder: Recorder) -> Step:
    beyond = Reply(recorder)
    open_chat = create_chat(recorder.user.id, "The open one").id
    first = recorder.first(open_chat, chats=1)
    ended = beyond.complete()
    asks = recorder.screen(open_chat, "sync")
    del asks["chats"][0]
    steps = [*ended, {"screen": asks}, recorder.sync(first["cursor"])]
    return {"first": first, "steps": steps, "screen": recorder.screen(open_chat)}


@script("A chat is created elsewhere, and is answered: its messages come before the chat")
def chat_after_its_messages(recorder: Recorder) -> Step:
    open_chat = create_chat(recorder.user.id, "The open one").id
    first = recorder.first(open_chat)
    reply = Reply(recorder)
    steps = [*reply.started, *reply.complete(), *reply.posted, *reply.created]
    return {"first": first, "steps": steps, "screen": recorder.screen(open_chat)}


@script("A parked chat goes on elsewhere: the beginning of the post comes after its end")
def beginning_after_the_end(recorder: Recorder) -> Step:
    reply = Reply(recorder)
    recorder.heard(lambda: fail_reply(reply.claimed, ModelTimeout(), Answer("")))
    first = recorder.first(reply.chat)
    assert first["chats"]["items"][0]["parked"]
    posted, started = recorder.heard(reply.post), recorder.heard(reply.claim)
    return reply.made([*reply.complete(), *started, *posted[::-1]], first)


@script("A new title comes after a later message: both count")
def title_after_a_later_message(recorder: Recorder) -> Step:
    reply = Reply(recorder)
    renamed = recorder.heard(lambda: change_chat(reply.user_id, reply.chat, "Another title"))
    ended = reply.complete()
    return reply.made([*reply.posted, *reply.started, *reply.deltas, *ended, *renamed])


@script("Only a piece of a message arrives before its deletion: nothing of the message is asked for any more")
def deleted_before_it_was_read(recorder: Recorder) -> Step:
    reply = Reply(recorder)
    waiting = reply.screen(reply.reply_id)["screen"] | {"messages": [], "credits": reply.first["credits"]}
    waiting["chats"] = [one | {"seq": reply.first["chats"]["items"][0]["seq"]} for one in waiting["chats"]]
    deleted = recorder.heard(lambda: delete_message(reply.user_id, reply.chat, reply.question_id))
    lacking = recorder.screen(reply.chat, "sync")
    lacking["chats"] = waiting["chats"]
    steps = [reply.deltas[1], {"screen": waiting}, *deleted, {"screen": lacking}]
    return reply.made([*steps, recorder.sync(reply.first["cursor"]), *reply.posted, *reply.deltas])


@script("Everything was read anew: a late event of a chat that was deleted before brings nothing back")
def late_after_a_reset(recorder: Recorder) -> Step:
    reply = Reply(recorder)
    other = create_chat(recorder.user.id, "The other").id
    renamed = recorder.heard(lambda: change_chat(reply.user_id, other, "Another title"))
    delete_chat(reply.user_id, other)
    anew = recorder.first(reply.chat)
    reset = {"sync": {"reset": True, "cursor": anew["cursor"]}, "anew": anew}
    return reply.made([*reply.posted, reset, *renamed, *reply.started, *reply.posted])


@script("Another device arranges what waits: messages change places, one is edited, and a new one interrupts the reply")
def queue_arranged(recorder: Recorder) -> Step:
    reply = Reply(recorder)
    user, chat = reply.user_id, reply.chat
    posted: list[Posted] = []
    asked = recorder.heard(lambda: posted.extend(post_message(user, PostRequest(chat, text)) for text in ("B", "C")))
    names = [one.message.id for one in reversed(posted)]
    arranged = recorder.heard(lambda: reorder_queue(user, chat, names, 10**6))
    arranged += [{"screen": recorder.screen(chat)}]
    edited = recorder.heard(lambda: edit_message(user, EditRequest(chat, names[0], "C, but shorter")))
    interrupts = recorder.heard(lambda: post_message(user, PostRequest(chat, "A", when_busy="interrupt")))
    steps = [*asked, *arranged, *edited, *interrupts]
    return reply.made([*reply.posted, *reply.started, *reply.deltas, *steps])
