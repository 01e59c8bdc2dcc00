"""A web program that reads the balance first, and later writes the balance that follows from this reading."""

import sys
from contextvars import ContextVar
from typing import Any

from sqlalchemy import bindparam, update

from api.resources import messages as api
from api.web import main
from shared.actions.credits.money import Money, NotCovered
from shared.actions.owner_unit import OwnerUnit
from shared.database.units import execute
from shared.models.credits import record
from shared.models.user import ACCOUNT, Account, account_of, users
from tests.faults.naive import replace

_seen: ContextVar[Any] = ContextVar("seen")
_write = (
    update(users)
    .where(users.c.id == bindparam("user_id"))
    .values(credits=bindparam("left"), held=users.c.held + bindparam("hold"), seq=users.c.seq + bindparam("events"))
    .returning(*ACCOUNT)
)


def _post_message(user_id: str, *rest: Any) -> Any:
    _seen.set(account_of(user_id))
    return guarded_post(user_id, *rest)


def _take(unit: OwnerUnit, events: int, money: Money) -> None:
    if money.hold <= 0:
        guarded_take(unit, events, money)
        return
    left = _seen.get().credits - money.spend
    if left < 0:
        raise NotCovered
    values = {"user_id": unit._user_id, "left": left, "hold": money.hold, "events": events}
    unit.account = execute(_write, values, row=Account)[0]
    unit.numbers = unit.account.numbers(events)
    for kind, delta, ref in money.entries:
        record(unit._user_id, kind, delta, ref)


guarded_post = replace(api, "post_message", _post_message)
guarded_take = replace(OwnerUnit, "take", _take)

if __name__ == "__main__":
    sys.exit(main())
