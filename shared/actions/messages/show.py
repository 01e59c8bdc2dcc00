"""Show another version of a reply, or of an edited message with its reply."""

from shared.actions.chats.change import note_quietly
from shared.actions.messages.versions import group_of, replies_to, set_shown
from shared.actions.owner_unit import owner_unit
from shared.database.retries import retried
from shared.models.chat import find_chat
from shared.models.message import MessageRow, find_message


@retried
def show_version(user_id: str, chat_ref: str, message_id: str) -> MessageRow:
    """Show this version, and hide the one that stood in its place. A version that is shown stays as it is.

    A message and its reply are shown together: the reply of an earlier edit brings its message, and the other way
    round. Raises Unauthenticated, Forbidden, NotFound, ReplyOpen.
    """
    with owner_unit(user_id, acting=True) as unit:
        chat = find_chat(user_id, chat_ref)
        chosen = find_message(chat.id, message_id)
        question = find_message(chat.id, chosen.reply_to) if chosen.reply_to else chosen
        edits, replies = group_of(question), replies_to(question)
        others = replies_to(edits.shown) if edits.shown else replies
        reply = chosen if chosen.reply_to else replies.shown or replies.shown_last
        before, after = {*edits.shown_ids, *others.shown_ids}, {question.id, *((reply.id,) if reply else ())}
        if before == after:
            return chosen
        replies.require_final()
        others.require_final()
        changed = {row.id: row for row in set_shown(unit, show=after - before, hide=before - after)}
        note_quietly(unit, chat.id)
    return changed.get(chosen.id, chosen)
