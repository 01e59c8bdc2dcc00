"""Make a user an admin, or an ordinary user again. Only admins may write system messages (D-148)."""

from sqlalchemy import bindparam, update

from shared.actions.owner_unit import owner_unit
from shared.database.clock import utc_now
from shared.database.prepared import Id, Prepared
from shared.database.retries import retried
from shared.database.units import execute
from shared.models.user import ADMIN, DEMO, USER, users


@retried
def set_admin(user_id: str, *, admin: bool) -> bool:
    """Give the role, or take it away. Returns False for the demo user, whose role keeps it out of production."""
    with owner_unit(user_id):
        return bool(execute(_set_role, {"whose": user_id, "new_role": ADMIN if admin else USER, "at": utc_now()}))


_set_role = Prepared(
    update(users)
    .where(users.c.id == bindparam("whose"), users.c.role != DEMO)
    .values(role=bindparam("new_role"), updated_at=bindparam("at"))
    .returning(users.c.id),
    Id,
)
