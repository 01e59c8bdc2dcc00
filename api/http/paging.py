"""Keyset paging: a cursor names the last row of a page. So every page costs the same, wherever it lies.

A page of long texts has fewer rows than its client asked for. `next_cursor` alone tells whether there are more.
"""

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Any, TypeVar
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, Select, literal, tuple_

from shared.database.prepared import R
from shared.database.units import query
from shared.database.weights import fitting, octets
from shared.errors.requests import InvalidRequest

T = TypeVar("T")


def keyset_page(
    wanted: Select[Any],
    asked: dict[str, Any],
    keys: Sequence[ColumnElement[Any]],
    shape: type[Any],
    row: type[R],
    *,
    newest_first: bool = True,
    present: Callable[[list[R]], list[Any]] = list,
    text: ColumnElement[str] | None = None,
) -> dict[str, Any]:
    """The page of `wanted` that `asked` names by its `limit` and `cursor`, in the order of `keys`.

    `shape` is the tuple of types that a cursor of this list holds, one for each key. `row` is the type of the rows;
    `present` turns them into the items. `text` is the column of a long text, if the rows have one. Raises
    InvalidRequest for a cursor of another list.
    """
    if asked["cursor"]:
        wanted = wanted.where(_after(decode_cursor(asked["cursor"], shape), keys, newest_first))
    order = [key.desc() if newest_first else key.asc() for key in keys]
    wanted, most = wanted.order_by(*order), asked["limit"]
    if text is not None:
        most = fitting(query(wanted.with_only_columns(octets(text)).limit(most)).scalars())
    rows = query(wanted.limit(most + 1), row=row)
    items, more = rows[:most], len(rows) > most
    cursor = encode_cursor(*(getattr(items[-1], str(key.key)) for key in keys)) if more else None
    return {"items": present(items), "next_cursor": cursor}


def _after(last: Sequence[Any], keys: Sequence[ColumnElement[Any]], newest_first: bool) -> ColumnElement[bool]:
    values = tuple_(*(literal(_plain(value), key.type) for value, key in zip(last, keys, strict=True)))
    return tuple_(*keys) < values if newest_first else tuple_(*keys) > values


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, UUID) else value


def encode_cursor(*values: object) -> str:
    """A cursor that holds these values. Clients must not look into it."""
    return base64.urlsafe_b64encode(msgspec.json.encode(values)).decode().rstrip("=")


def decode_cursor(cursor: str, shape: type[T]) -> T:
    """The values that a cursor holds. Raises InvalidRequest for a cursor of another list."""
    try:
        data = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        return msgspec.json.decode(data, type=shape)
    except (binascii.Error, ValueError) as error:
        raise InvalidRequest(errors={"cursor": ["Not a cursor of this list."]}) from error
