"""Disable an account, and enable it again."""

from sqlalchemy import bindparam, update

from shared.actions.accounts.revoke import revoke, revoke_no_more, tell
from shared.actions.accounts.sign_ins import end_all_sign_ins
from shared.actions.queue.hand_over import hand_over
from shared.actions.queue.hand_over_again import begin_anew
from shared.database.clock import utc_now
from shared.database.retries import retried
from shared.database.units import execute, write_unit
from shared.models.user import lock_owner, users
from shared.redis.revocations import of_user

_set_disabled = update(users).where(users.c.id == bindparam("whose")).values(disabled_at=bindparam("at"))


@retried
def disable_account(user_id: str) -> None:
    """End every session; nothing can be asked for until enable_account(). What a worker is writing, it ends as ever."""
    with write_unit():
        lock_owner(user_id)
        execute(_set_disabled, {"whose": user_id, "at": utc_now()})
        end_all_sign_ins(user_id)
        voids = revoke(of_user(user_id))
    tell(voids)


@retried
def enable_account(user_id: str) -> None:
    """Let the user sign in again, and what waits run; what ended with disabling stays so."""
    with write_unit():
        lock_owner(user_id)
        execute(_set_disabled, {"whose": user_id, "at": None})
        voids = revoke_no_more(of_user(user_id))
        waiting = begin_anew(user_id)
    tell(voids)
    hand_over(waiting)
