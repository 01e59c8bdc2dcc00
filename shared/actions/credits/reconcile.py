"""Compare each balance with the ledger, and the price of each reply with its entries.

One snapshot answers every query, so that a running system raises no false alarm.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Integer,
    Select,
    String,
    case,
    cast,
    func,
    literal,
    or_,
    select,
    text,
)

from shared.database.prepared import R, require_fields
from shared.database.tables import db
from shared.models.credits import GRANT, HOLD, RELEASE, credit_entries
from shared.models.message import IS_OPEN, has_status, messages
from shared.models.status import Status
from shared.models.user import users

# Differences that this program keeps in memory at a time. The database sorts and adds up on its own disk.
_BATCH = 500


def reconcile() -> Iterator[str]:
    """Each difference in one line; none if all is well.

    The ledger's UNIQUE (user, kind, ref) allows one entry of each kind for a reply. So a comparison of sums is enough.
    """
    with db.engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            connection.execute(text("SET LOCAL statement_timeout = 0"))  # a long ledger may take longer than the limit
        yield from differences(connection)


def differences(connection: Connection) -> Iterator[str]:
    """The differences that the transaction of this connection sees."""
    for account in _rows(connection, _wrong_accounts, _Account):
        yield (
            f"user {account.id}: balance {account.credits}, ledger {account.ledger};"
            f" held {account.held}, open replies {account.open_holds}"
        )
    for reply in _rows(connection, _wrong_replies, _Reply):
        yield (
            f"reply {reply.reply} of user {reply.user_id}: holds {reply.held}, should be {reply.hold_due};"
            f" releases {reply.released}, should be {reply.release_due}"
        )
    for charge in _rows(connection, _wrong_charges, _Charge):
        yield f"reply {charge.id}: {charge.status}, held {charge.credits_held}, charged {charge.credits_charged}"


def _rows(connection: Connection, statement: Select[Any], row: type[R]) -> Iterator[R]:
    found = connection.execution_options(yield_per=_BATCH).execute(statement)
    require_fields(row, list(found.keys()))
    for values in found:
        yield tuple.__new__(row, values)


class _Account(NamedTuple):
    id: str
    credits: int
    ledger: int
    held: int
    open_holds: int


class _Reply(NamedTuple):
    user_id: str
    reply: str
    hold_due: int
    held: int
    release_due: int
    released: int


class _Charge(NamedTuple):
    id: str
    status: str
    credits_held: int
    credits_charged: int


_zero = literal(0, Integer)


def _key(column: ColumnElement[Any]) -> ColumnElement[str]:
    """An id without dashes. SQLite keeps ids like that; PostgreSQL's ids and the ledger's `ref` have dashes."""
    return func.replace(cast(column, String), "-", "")


def _total(column: ColumnElement[Any]) -> ColumnElement[int]:
    return cast(func.sum(column), BigInteger)


_accounts = (
    select(users.c.id, users.c.credits, _zero.label("ledger"), users.c.held, _zero.label("open_holds"))
    .union_all(
        select(credit_entries.c.user_id, _zero, credit_entries.c.delta, _zero, _zero),
        select(messages.c.owner_id, _zero, _zero, _zero, messages.c.credits_held).where(IS_OPEN),
    )
    .subquery()
)
_account_sums = {name: _total(_accounts.c[name]) for name in ("credits", "ledger", "held", "open_holds")}
_wrong_accounts = (
    select(_accounts.c.id, *(total.label(name) for name, total in _account_sums.items()))
    .group_by(_accounts.c.id)
    .having(
        or_(
            _account_sums["credits"] != _account_sums["ledger"],
            _account_sums["held"] != _account_sums["open_holds"],
        )
    )
)

# A final reply must have given back the part of its price that was not charged.
_to_release = case((IS_OPEN, 0), else_=messages.c.credits_held - messages.c.credits_charged)
_movements = (
    select(
        messages.c.owner_id.label("user_id"),
        _key(messages.c.id).label("reply"),
        (-messages.c.credits_held).label("hold_due"),
        _to_release.label("release_due"),
        _zero.label("held"),
        _zero.label("released"),
        literal(1, Integer).label("rows"),
    )
    .where(messages.c.credits_held != 0)
    .union_all(
        select(
            credit_entries.c.user_id,
            _key(credit_entries.c.ref),
            _zero,
            _zero,
            case((credit_entries.c.kind == HOLD, credit_entries.c.delta), else_=0),
            case((credit_entries.c.kind == RELEASE, credit_entries.c.delta), else_=0),
            _zero,
        ).where(credit_entries.c.kind != GRANT)
    )
    .subquery()
)
_movement_sums = {name: _total(_movements.c[name]) for name in ("hold_due", "held", "release_due", "released")}
# A reply's entries outlive its tombstone. Once the tombstone is forgotten, only the entries tell the price.
_is_forgotten = (_total(_movements.c.rows) == 0) & _movements.c.user_id.in_(
    select(users.c.id).where(users.c.pruned_seq > 0)
)
_wrong_replies = (
    select(_movements.c.user_id, _movements.c.reply, *(total.label(name) for name, total in _movement_sums.items()))
    .group_by(_movements.c.user_id, _movements.c.reply)
    .having(
        case(
            (_is_forgotten, _movement_sums["released"].not_in([0, -_movement_sums["held"]])),
            else_=or_(
                _movement_sums["hold_due"] != _movement_sums["held"],
                _movement_sums["release_due"] != _movement_sums["released"],
            ),
        )
    )
)

_charge, _price = messages.c.credits_charged, messages.c.credits_held
_wrong_charges = select(messages.c.id, messages.c.status, _price, _charge).where(
    or_(
        _charge.not_in([0, _price]),
        has_status(Status.COMPLETED) & (_charge != _price),
        or_(IS_OPEN, has_status(Status.FAILED)) & (_charge != 0),
    )
)
