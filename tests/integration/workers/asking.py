"""A worker writes the reply to a message, once or once more."""

from typing import Any

from shared.actions.messages.accept import Posted
from shared.actions.replies.rescue import give_turns
from shared.models import ChatSession
from tests.factories import a_post, change, past, the_message
from workers.reply import Desk, write_reply


def written(chat: ChatSession, desk: Desk, content: str = "Hello") -> Any:
    """The row of the reply to a message with this content, once written."""
    posted = a_post(chat, content)
    write_reply(posted.reply.id, desk)
    return the_message(posted.reply.id)


def ask(chat: ChatSession, desk: Desk, script: str) -> Posted:
    posted = a_post(chat, f"Please fake:{script}")
    write_reply(posted.reply.id, desk)
    return posted


def run_again(posted: Posted, desk: Desk) -> Any:
    """Run the reply again after the pause, as the sweeper does."""
    change(posted.reply.id, not_before=past(0.1))
    give_turns()
    write_reply(posted.reply.id, desk)
    return the_message(posted.reply.id)
