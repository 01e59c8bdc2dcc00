"""The owner unit: the one way to make a change that the owner sees.

A unit is one transaction (`write_unit()`). It locks the owner's row first (D-64), then takes numbers and moves money.
After the commit, one trip to Redis publishes the events. The hand-over to the queue comes last.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial

from redis.client import Pipeline
from sqlalchemy import Connection, bindparam, select, update

from shared.actions.credits.money import NOTHING, Money, NotCovered
from shared.actions.queue.hand_over import hand_over
from shared.core import current_link
from shared.database.clock import utc_now
from shared.database.prepared import Prepared
from shared.database.units import execute, write_unit
from shared.failpoints import reach
from shared.models.credits import record
from shared.models.user import ACCOUNT, IN_USE, Account, require_in_use, users
from shared.redis import live_text
from shared.redis.link import RedisLink
from shared.wire.events import Event, publish

_this = users.c.id == bindparam("user_id")
_lock = Prepared(select(*ACCOUNT).where(_this).with_for_update(key_share=True), Account)
_covered = (users.c.credits >= bindparam("spend"), users.c.held >= -bindparam("hold"))
_taken = {
    "seq": users.c.seq + bindparam("events"),
    "credits": users.c.credits - bindparam("spend"),
    "held": users.c.held + bindparam("hold"),
    "updated_at": bindparam("at"),
}
_take = Prepared(update(users).where(_this, *_covered).values(_taken).returning(*ACCOUNT), Account)
_act = Prepared(update(users).where(_this, *_covered, IN_USE).values(_taken).returning(*ACCOUNT), Account)


@contextmanager
def owner_unit(
    user_id: str, *, events: int = 0, money: Money = NOTHING, acting: bool = False, reached: str = ""
) -> Iterator["OwnerUnit"]:
    """Open a unit that holds the owner's lock.

    With `events`, the unit has also taken that many numbers and moved the money. With `acting`, the owner asks for the
    change, so a deleted or disabled account is refused. `reached` names the failpoint between the commit and its
    events. Raises NotCovered, and Unauthenticated for `acting`.
    """
    with telling_unit(user_id, acting, reached) as unit:
        if events:
            unit.take(events, money)
        else:
            execute(_lock, {"user_id": user_id})
        yield unit


@contextmanager
def telling_unit(user_id: str = "", acting: bool = False, reached: str = "") -> Iterator["OwnerUnit"]:
    """Open such a unit without the lock. A claim needs that: its first statement finds and locks the owner itself."""
    with write_unit() as connection:
        unit = OwnerUnit(connection, user_id, acting)
        yield unit
        unit.record_money()
    if not unit.undone:
        reach(reached)
        unit.finish()


class OwnerUnit:
    """The numbers and money of a transaction, and the events and hand-overs that follow its commit."""

    #: The owner's money and newest number, as of the last take().
    account: Account
    #: The numbers that the last take() took, lowest first.
    numbers: list[int]

    def __init__(self, connection: Connection, user_id: str, acting: bool) -> None:
        self._connection = connection
        self._user_id = user_id
        self._acting = acting
        self._entries: list[tuple[str, int, str]] = []
        self._events: list[Event] = []
        self._live_texts: list[Callable[[RedisLink, Pipeline], None]] = []
        self._turns: list[str] = []
        self.undone = False

    def take(self, events: int, money: Money = NOTHING) -> None:
        """Take one number for each event, and move the balance. record_money() adds the ledger's entries later.

        Raises NotCovered, and Unauthenticated if an acting owner's account is deleted or disabled.
        """
        values = {"user_id": self._user_id, "events": events, "spend": money.spend, "hold": money.hold, "at": utc_now()}
        account = execute(_act if self._acting else _take, values).first()
        if account is None:
            if self._acting:
                require_in_use(self._user_id)
            raise NotCovered
        self._entries += money.entries
        self.account, self.numbers = account, account.numbers(events)

    def record_money(self) -> None:
        """Add the entries of each take() to the ledger, as the last step of the unit.

        An ending checks before this step whether its reply is still open. Without that check, a reply that another
        program has ended would get a second entry. The ledger refuses such an entry, and the unit would fail.
        """
        for kind, delta, ref in self._entries:
            record(self._user_id, kind, delta, ref)

    def undo(self) -> None:
        """Roll everything back, numbers and money too. No event and no hand-over follows."""
        self._connection.rollback()
        self._entries.clear()
        self.undone = True

    def tell(self, *events: Event) -> None:
        """Publish these after the commit, in this order."""
        self._events += events

    def open_live_text(self, reply_id: str, attempt: int, kept: str = "") -> None:
        """After the commit, make Redis refuse text of earlier attempts. The live text begins with the kept one."""
        self._live_texts.append(partial(live_text.begin, message_id=reply_id, attempt=attempt, kept=kept))

    def close_live_text(self, reply_id: str, attempt: int) -> None:
        """After the commit, make Redis refuse all text of this reply, and drop its live text."""
        self._live_texts.append(partial(live_text.close, message_id=reply_id, attempt=attempt))

    def hand_over(self, reply_ids: Iterable[str]) -> None:
        """Put these replies on the queue, after the commit and the trip to Redis."""
        self._turns += reply_ids

    def finish(self) -> None:
        """Make the one trip to Redis, then hand over. If Redis is away, the sweeper hands over later."""
        link = current_link()
        with link.trip() as pipe:
            for change in self._live_texts:
                change(link, pipe)
            if self._events:
                publish(link, pipe, self._events)
        hand_over(self._turns)
