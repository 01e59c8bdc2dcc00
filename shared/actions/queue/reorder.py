"""Put the waiting messages of a chat into another order, or take one of them out of the queue."""

from collections.abc import Iterable

from shared.actions.chats.change import note_quietly
from shared.actions.messages.delete import remove_version
from shared.actions.owner_unit import owner_unit
from shared.actions.queue.arrange import arrange, places_of
from shared.actions.queue.dispatch import dispatch
from shared.actions.queue.waiting import Waiting, waiting_in
from shared.database.retries import retried
from shared.errors.control import NotWaiting, QueueChanged
from shared.errors.requests import InvalidRequest
from shared.models.chat import ChatRow, find_chat
from shared.models.message import MessageRow, find_message


@retried
def reorder_queue(user_id: str, ref: str, order: list[str], if_seq: int) -> ChatRow:
    """Let what waits in the chat wait in this order of ids.

    The order must name everything that waits, each once, as its client saw it at the number `if_seq`. Raises
    Unauthenticated, Forbidden, NotFound, QueueChanged, InvalidRequest.
    """
    with owner_unit(user_id, acting=True) as unit:
        chat = find_chat(user_id, ref)
        waiting = {one.name: one for one in waiting_in(user_id, chat.id)}
        if sorted(order) != sorted(waiting) or _newest(waiting.values()) > if_seq:
            raise QueueChanged
        wanted = [waiting[name] for name in order]
        _require_questions_first(wanted)
        if arrange(unit, wanted):
            note_quietly(unit, chat.id)
            unit.hand_over(dispatch(user_id))
    return chat


def _require_questions_first(wanted: list[Waiting]) -> None:
    """Raises InvalidRequest if a reply that waits alone would come before its question, which does not move."""
    alone = {one.reply.id for one in wanted if one.question is None}
    for reply, place in places_of(wanted):
        if reply.id in alone and place < _question_of(reply).position:
            raise InvalidRequest(errors={"order": [f"The reply {reply.id} cannot wait before its question."]})


def _question_of(reply: MessageRow) -> MessageRow:
    return find_message(reply.chat_session_id, str(reply.reply_to))


def _newest(waiting: Iterable[Waiting]) -> int:
    """The highest number of a message that waits. A client that has not seen it does not know the queue as it is."""
    return max((message.seq for one in waiting for message in one.messages), default=0)


@retried
def remove_waiting(user_id: str, ref: str, message_id: str) -> None:
    """Take a message out of the queue of its chat, and delete it. Its credits return.

    If it is a later version, the one that readers saw before is shown again, and keeps its answer (D-214). Raises
    Unauthenticated, Forbidden, NotFound, NotWaiting.
    """
    with owner_unit(user_id, acting=True) as unit:
        chat = find_chat(user_id, ref)
        message = find_message(chat.id, message_id)
        if message.id not in {one.name for one in waiting_in(user_id, chat.id)}:
            raise NotWaiting
        remove_version(unit, chat, message)
        note_quietly(unit, chat.id)
