"""Put the waiting messages of a chat into another order. Their places stay the same; the messages change places."""

from sqlalchemy import bindparam, update

from shared.actions.owner_unit import OwnerUnit
from shared.actions.queue.waiting import Waiting
from shared.core import current_settings
from shared.database.clock import db_now, utc_now
from shared.database.prepared import Prepared
from shared.database.units import execute
from shared.models.message import MESSAGE, MessageRow, messages
from shared.wire.events import message_event


def arrange(unit: OwnerUnit, order: list[Waiting]) -> dict[str, MessageRow]:
    """Give the places of these messages to them in this order. Returns the rows that moved, by id.

    Only the first reply of a chat has a turn. A reply that moves back loses its turn, and the caller calls dispatch().
    """
    moves = [(message, place) for message, place in places_of(order) if message.position != place]
    if not moves:
        return {}
    unit.take(len(moves))
    first, at = order[0].reply.id, utc_now()
    moved = [
        _move(message, {"place": place, "new_seq": seq, "at": at}, message.id == first)
        for (message, place), seq in zip(moves, unit.numbers, strict=True)
    ]
    unit.tell(*(message_event("message.updated", row) for row in moved))
    return {row.id: row for row in moved}


def places_of(order: list[Waiting]) -> list[tuple[MessageRow, int]]:
    """Each of these messages with its place in this order."""
    wanted = [message for one in order for message in one.messages]
    return list(zip(wanted, sorted(message.position for message in wanted), strict=True))


def _move(message: MessageRow, values: dict[str, object], keeps_turn: bool) -> MessageRow:
    values["message_id"] = message.id
    if message.dispatched_at is None or keeps_turn:
        return execute(_to_place, values)[0]
    return execute(_to_the_back, values | {"turn_ms": int(current_settings().turn_timeout * 1000)})[0]


_move_one = (
    update(messages)
    .where(messages.c.id == bindparam("message_id"))
    .values(position=bindparam("place"), seq=bindparam("new_seq"), updated_at=bindparam("at"))
    .returning(*MESSAGE)
)
_to_place = Prepared(_move_one, MessageRow)
_to_the_back = Prepared(
    _move_one.values(dispatched_at=None, hand_over_at=None, handovers=0, deadline_at=db_now() + bindparam("turn_ms")),
    MessageRow,
)
