"""Movements of credits: each changes the balance, and adds its entries to the ledger. `owner_unit()` makes them."""

from dataclasses import dataclass

from shared.models.credits import GRANT, HOLD, RELEASE


@dataclass(frozen=True)
class Money:
    """A movement: `spend` leaves the balance, `hold` is added to the credits held. `entries` are (kind, delta, ref)."""

    spend: int = 0
    hold: int = 0
    entries: tuple[tuple[str, int, str], ...] = ()


#: No movement.
NOTHING = Money()


class NotCovered(Exception):
    """The balance does not cover the movement, or what it gives back is not held; nothing has changed."""


def hold(reply_id: str, price: int) -> Money:
    """Set the price of an accepted reply aside."""
    return Money(price, price, ((HOLD, -price, reply_id),))


def charge(price: int) -> Money:
    """Keep the price that was set aside. The ledger has its entry since the hold."""
    return Money(hold=-price)


def release(prices: dict[str, int]) -> Money:
    """Give back the price of each of these replies, by their ids."""
    total = sum(prices.values())
    return Money(-total, -total, tuple((RELEASE, price, reply_id) for reply_id, price in prices.items()))


def grant(amount: int, occasion: str) -> Money:
    """Give credits, once for each occasion."""
    return Money(spend=-amount, entries=((GRANT, amount, occasion),))
