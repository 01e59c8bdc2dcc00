"""A web program that looks at the balance first, and writes what it makes of it later."""

import sys
from contextvars import ContextVar
from typing import Any

from gunicorn.app.wsgiapp import run
from sqlalchemy import bindparam, update

from api.resources import messages as api
from shared.actions.messages import post as action
from shared.database.units import execute
from shared.models.user import Account, account_of, users
from tests.faults.naive import replace

_seen: ContextVar[Any] = ContextVar("seen")
_write = (
    update(users)
    .where(users.c.id == bindparam("user_id"))
    .values(credits=bindparam("left"), held=users.c.held + bindparam("hold"), seq=users.c.seq + bindparam("events"))
    .returning(users)
)


def _post_message(user_id: str, *rest: Any) -> Any:
    _seen.set(account_of(user_id))
    return guarded_post(user_id, *rest)


def _act(user_id: str, *, events: int, spend: int = 0, hold: int = 0) -> Account | None:
    left = _seen.get().credits - spend
    if left < 0:
        return None
    return Account.of(execute(_write, {"user_id": user_id, "left": left, "hold": hold, "events": events}).first())


guarded_post = replace(api, "post_message", _post_message)
replace(action, "act", _act)

if __name__ == "__main__":
    sys.argv[1:] = ["--config", "python:api.gunicorn", "api.app:create_app()"]
    run()
