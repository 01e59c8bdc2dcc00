"""Runs a job of the queue, and keeps turns fair across users.

A share of the threads stays free for users without a running reply. A worker claims a user's further reply only while
it has room (`shared/redis/room.py`). Otherwise the reply goes to the queue of further replies. Workers fetch from that
queue only while they have room, so no job is lost and none spins.
"""

from contextlib import suppress

from shared.actions.queue.dispatch import first_turn
from shared.actions.queue.hand_over import hand_over
from shared.database.retries import DATABASE_AWAY
from shared.failpoints import reach
from shared.redis.room import Room
from workers.reply import Desk, write_reply
from workers.title import write_title


def run_job(reply_id: str, desk: Desk, room: Room, *, further: bool = False) -> None:
    """Write the reply, if this worker can claim it. The consumer has taken the room of a `further` reply."""
    roomy = further or room.enter()
    try:
        if desk.watchdog.draining:
            hand_over([reply_id])  # this process is draining, so another one must run the job
        elif (claim := write_reply(reply_id, desk, roomy=roomy)) and room.short:
            _let_the_next_begin(claim.owner_id)
    finally:
        room.leave(further=further)
    reach("before_ack")


def run_title(chat_id: str, desk: Desk, room: Room) -> None:
    """Make a title. The consumer has taken room for it. A process that drains drops the job."""
    try:
        if not desk.watchdog.draining:
            write_title(chat_id, desk.provider)
    finally:
        room.leave(further=True)


def _let_the_next_begin(owner_id: str) -> None:
    """A reply has ended, so its owner's next one is no further reply any more, and must not wait for room."""
    with suppress(*DATABASE_AWAY):  # the sweeper hands over again
        hand_over(first_turn(owner_id))
