"""The answer to a post while another reply of its chat is open: queue, reject or interrupt."""

from typing import Any

from sqlalchemy import bindparam, select

from shared.actions.chats.change import note_quietly
from shared.actions.messages.store import Place
from shared.actions.owner_unit import OwnerUnit
from shared.actions.queue.arrange import arrange
from shared.actions.queue.waiting import waiting_in
from shared.actions.replies.stop import end_stopped
from shared.core import current_link
from shared.database.prepared import Prepared
from shared.database.units import execute
from shared.errors.control import ChatBusy
from shared.models.message import IS_OPEN, MESSAGE, MessageRow, messages
from shared.redis import live_text
from shared.redis.live_text import LiveText
from shared.wire.events import credits_event
from shared.wire.messages import WHEN_BUSY

_QUEUE, _REJECT, _INTERRUPT = WHEN_BUSY
#: The live texts that were read before the unit, by the id and the attempt of their replies.
Seen = dict[tuple[str, int], LiveText | None]


class Unread(Exception):
    """The post interrupts a reply with text in Redis, and no unit may wait for Redis. read() that text, then repeat."""

    def __init__(self, reply: MessageRow) -> None:
        super().__init__(reply.id)
        self._attempt = (reply.id, reply.attempt)

    def read(self) -> Seen:
        """The live text of that reply."""
        return {self._attempt: live_text.read(current_link(), [self._attempt])[0]}


def to_interrupt(user_id: str, place: Place, asked: str | None, seen: Seen | None) -> MessageRow | None:
    """The first open reply of the chat, if the post interrupts; else None.

    Raises ChatBusy if the post must be rejected, and Unread.
    """
    rule = _rule(asked, place.settings)
    if rule == _QUEUE or not place.open_replies:
        return None
    first = execute(_first_open, {"user_id": user_id, "chat_id": place.id}).first()
    if first is None:
        return None
    if rule == _REJECT:
        raise ChatBusy(messageId=first.id)
    if first.attempt and seen is None:
        raise Unread(first)
    return first


def goes_on(reply: MessageRow) -> bool:
    """Whether the reply runs, or would soon: it has its turn, or ran before."""
    return reply.dispatched_at is not None or reply.attempt > 0


def interrupt(unit: OwnerUnit, first: MessageRow, seen: Seen, new_id: str) -> dict[str, MessageRow]:
    """Stop the chat's first open reply if it goes on, and put the reply `new_id` first of what waits.

    Returns the rows that moved. The chat is not parked, because the post has ended its parking.
    """
    if goes_on(first):
        end_stopped(unit, first, seen.get((first.id, first.attempt)), events=2)
        unit.tell(credits_event(unit.account, unit.account.seq))
    waiting = waiting_in(first.owner_id, first.chat_session_id)
    moved = arrange(unit, sorted(waiting, key=lambda one: one.reply.id != new_id))
    note_quietly(unit, first.chat_session_id)
    return moved


def _rule(asked: str | None, settings: Any) -> str:
    """The post's own rule, else that of its chat. An unknown rule of a chat counts as none."""
    stored = settings.get("whenBusy") if isinstance(settings, dict) else None
    return asked or (stored if stored in WHEN_BUSY else _QUEUE)


_first_open = Prepared(
    select(*MESSAGE)
    .where(messages.c.owner_id == bindparam("user_id"), IS_OPEN, messages.c.chat_session_id == bindparam("chat_id"))
    .order_by(messages.c.position)
    .limit(1),
    MessageRow,
)
