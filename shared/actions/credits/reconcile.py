"""Compare what users have with what the ledger says, and what each reply cost with its entries.

All of it in one snapshot, so that a system at work raises no false alarm.
"""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Integer,
    Row,
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

from shared.database.tables import db
from shared.models.credits import GRANT, HOLD, RELEASE, credit_entries
from shared.models.message import IS_OPEN, has_status, messages
from shared.models.status import Status
from shared.models.user import users

# Differences kept in memory at a time; the database sorts and adds up on its disk.
_BATCH = 500

_zero = literal(0, Integer)


def _key(column: ColumnElement[Any]) -> ColumnElement[str]:
    """An id as both databases can compare it: one keeps it as text without dashes, the ledger's `ref` has them."""
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

# The part of the price that a final reply was not charged must have come back.
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
# The ledger outlives a reply whose tombstone was forgotten: what that one cost is known from its entries alone.
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


def reconcile() -> Iterator[str]:
    """Each difference in one line; none if all is well. UNIQUE (user, kind, ref) makes the sums say as much as rows."""
    with db.engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            connection.execute(text("SET LOCAL statement_timeout = 0"))  # a long ledger may take its time
        yield from differences(connection)


def differences(connection: Connection) -> Iterator[str]:
    """The same, as this connection's transaction sees it."""
    for row in _rows(connection, _wrong_accounts):
        yield (
            f"user {row.id}: balance {row.credits}, ledger {row.ledger}; held {row.held}, open replies {row.open_holds}"
        )
    for row in _rows(connection, _wrong_replies):
        yield (
            f"reply {row.reply} of user {row.user_id}: holds {row.held}, should be {row.hold_due};"
            f" releases {row.released}, should be {row.release_due}"
        )
    for row in _rows(connection, _wrong_charges):
        yield f"reply {row.id}: {row.status}, held {row.credits_held}, charged {row.credits_charged}"


def _rows(connection: Connection, statement: Select[Any]) -> Iterator[Row[Any]]:
    yield from connection.execution_options(yield_per=_BATCH).execute(statement)
