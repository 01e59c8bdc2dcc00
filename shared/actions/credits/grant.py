"""Give a user credits. An operator does that for credits that were paid for or are owed."""

from sqlalchemy.exc import IntegrityError

from shared.actions.credits import money
from shared.actions.owner_unit import owner_unit
from shared.database.retries import retried
from shared.models.user import Account
from shared.wire.events import credits_event


class AlreadyGranted(Exception):
    """This user was given credits on this occasion before; nothing has changed."""


@retried
def grant_credits(user_id: str, amount: int, occasion: str) -> Account:
    """Add `amount` to the balance and the ledger, once for each occasion (D-26), and tell the open tabs.

    Raises AlreadyGranted.
    """
    try:
        with owner_unit(user_id, events=1, money=money.grant(amount, occasion)) as unit:
            unit.tell(credits_event(unit.account, unit.account.seq))
    except IntegrityError as error:
        raise AlreadyGranted(occasion) from error
    return unit.account
