"""Give a user credits: an operator's verb, for what was paid for or is owed."""

from sqlalchemy.exc import IntegrityError

from shared.core import current_link
from shared.database.retries import retried
from shared.database.units import write_unit
from shared.models.credits import GRANT, record
from shared.models.user import Account, move
from shared.wire.events import credits_event, publish


class AlreadyGranted(Exception):
    """This user was given credits on this occasion before; nothing has changed."""


@retried
def grant_credits(user_id: str, amount: int, occasion: str) -> Account:
    """Add `amount` to the balance and the ledger, once for each occasion, and tell the open tabs.

    Raises AlreadyGranted.
    """
    try:
        with write_unit():
            account = move(user_id, events=1, spend=-amount)
            assert account is not None  # accounts are never removed, and this costs nothing
            record(user_id, GRANT, amount, occasion)
    except IntegrityError as error:
        raise AlreadyGranted(occasion) from error
    link = current_link()
    with link.trip() as pipe:
        publish(link, pipe, [credits_event(account, account.seq)])
    return account
