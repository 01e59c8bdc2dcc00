"""Movements of credits: each changes an account, and most have entries in the ledger. `owner_unit()` makes them."""

from dataclasses import dataclass

from shared.models.credits import GRANT, HOLD, RELEASE


@dataclass(frozen=True)
class Money:
    """A movement: `spend` leaves the balance, and `hold` joins the credits held. `entries` are (kind, delta, ref)."""

    spend: int = 0
    hold: int = 0
    entries: tuple[tuple[str, int, str], ...] = ()


#: No movement.
NOTHING = Money()


class NotCovered(Exception):
    """The movement takes more than the balance, or gives back more than is held. Nothing has changed."""


def hold(reply_id: str, price: int) -> Money:
    """Set the price of an accepted reply aside."""
    return Money(price, price, ((HOLD, -price, reply_id),))


def charge(price: int) -> Money:
    """Keep the price that was set aside. The ledger has had the entry since hold()."""
    return Money(hold=-price)


def release(prices: dict[str, int]) -> Money:
    """Give back the price of each of these replies, by their ids."""
    total = sum(prices.values())
    return Money(-total, -total, tuple((RELEASE, price, reply_id) for reply_id, price in prices.items()))


def grant(amount: int, occasion: str) -> Money:
    """Give credits, once for each occasion."""
    return Money(spend=-amount, entries=((GRANT, amount, occasion),))
