"""Disable an account, and enable it again."""

from sqlalchemy import bindparam, update

from shared.actions.accounts.revoke import revoke, revoke_no_more, tell
from shared.actions.accounts.sign_ins import end_all_sign_ins
from shared.actions.owner_unit import owner_unit
from shared.actions.queue.hand_over_again import begin_anew
from shared.database.clock import utc_now
from shared.database.retries import retried
from shared.database.units import execute
from shared.models.user import users
from shared.redis.revocations import of_user


@retried
def disable_account(user_id: str) -> None:
    """End every session. The API refuses all requests of the user until enable_account().

    A worker goes on with a reply that it writes, and ends the reply as usual. No worker claims a waiting reply (D-32).
    """
    with owner_unit(user_id):
        execute(_set_disabled, {"whose": user_id, "at": utc_now()})
        revoked = revoke(of_user(user_id), end_all_sign_ins(user_id))
    tell(revoked)


@retried
def enable_account(user_id: str) -> None:
    """Let the user sign in again, and hand over waiting replies. Sessions that disable_account() ended stay ended."""
    with owner_unit(user_id) as unit:
        execute(_set_disabled, {"whose": user_id, "at": None})
        revoked = revoke_no_more(of_user(user_id))
        unit.hand_over(begin_anew(user_id))
    tell(revoked)


_set_disabled = update(users).where(users.c.id == bindparam("whose")).values(disabled_at=bindparam("at"))
