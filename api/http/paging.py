"""Keyset paging: a cursor names the last row of a page. So every page costs the same, wherever it lies.

A page of long texts has fewer rows than its client asked for. `next_cursor` alone tells whether there are more.
"""

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, Select, literal, tuple_

from shared.database.prepared import R
from shared.database.units import query
from shared.database.weights import fitting, octets
from shared.errors.requests import InvalidRequest

T = TypeVar("T")
# Rows that a page of a search looks at. The next page goes on from there, so a page costs the same in any list.
_MOST_SEARCHED = 5_000


class Search(NamedTuple):
    """A condition that no index helps with: the text that it reads of each row, and whether that text will do."""

    column: ColumnElement[str]
    finds: Callable[[str], bool]


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
    search: Search | None = None,
) -> dict[str, Any]:
    """The page of `wanted` that `asked` names by its `limit` and `cursor`, in the order of `keys`.

    `shape` is the tuple of types that a cursor of this list holds, one for each key. `row` is the type of the rows;
    `present` turns them into the items. `text` is the column of a long text, if the rows have one. `search` keeps only
    some of the rows; a page then looks at so many rows at most, and may be short. Raises InvalidRequest for a cursor of
    another list.
    """
    if asked["cursor"]:
        wanted = wanted.where(_after(_decoded(asked["cursor"], shape), keys, newest_first))
    order = [key.desc() if newest_first else key.asc() for key in keys]
    wanted, most = wanted.order_by(*order), asked["limit"]
    if text is not None:
        most = fitting(query(wanted.with_only_columns(octets(text)).limit(most)).scalars())
    if search:
        return _searched(wanted, most, keys, row, search)
    rows = query(wanted.limit(most + 1), row=row)
    items, more = rows[:most], len(rows) > most
    return {"items": present(items), "next_cursor": _cursor_after(items[-1], keys) if more else None}


def _searched(
    wanted: Select[Any], most: int, keys: Sequence[ColumnElement[Any]], row: type[R], search: Search
) -> dict[str, Any]:
    """The page of the rows in which the search finds something. It goes on after the last row that it looked at."""
    columns = [*keys, search.column]
    seen = query(wanted.with_only_columns(*columns).limit(_MOST_SEARCHED + 1))
    some = seen[:_MOST_SEARCHED]
    hits = [number for number, one in enumerate(some) if search.finds(one[-1])][: most + 1]
    looked_at = some if len(hits) <= most else some[: hits[most]]
    ids = [some[number][len(keys) - 1] for number in hits[:most]]
    found = query(wanted.where(keys[-1].in_(ids)), row=row) if ids else []
    more = len(looked_at) < len(seen)
    cursor = encode_cursor(*looked_at[-1][: len(keys)]) if more else None
    return {"items": found, "next_cursor": cursor}


def _cursor_after(row: Any, keys: Sequence[ColumnElement[Any]]) -> str:
    return encode_cursor(*(getattr(row, str(key.key)) for key in keys))


def _after(last: Sequence[Any], keys: Sequence[ColumnElement[Any]], newest_first: bool) -> ColumnElement[bool]:
    values = tuple_(*(literal(_plain(value), key.type) for value, key in zip(last, keys, strict=True)))
    return tuple_(*keys) < values if newest_first else tuple_(*keys) > values


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, UUID) else value


def encode_cursor(*values: object) -> str:
    """A cursor that holds these values. Clients must not look into it."""
    return base64.urlsafe_b64encode(msgspec.json.encode(values)).decode().rstrip("=")


def _decoded(cursor: str, shape: type[T]) -> T:
    try:
        data = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        return msgspec.json.decode(data, type=shape)
    except (binascii.Error, ValueError) as error:
        raise InvalidRequest(errors={"cursor": ["Not a cursor of this list."]}) from error
