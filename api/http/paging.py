"""Keyset paging: a cursor names the last row of a page. So every page costs the same, wherever it lies.

A page of long texts has fewer rows than its client asked for. `next_cursor` alone tells whether there are more.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, get_args

from sqlalchemy import ColumnElement, Select, literal, tuple_, type_coerce
from sqlalchemy.types import NullType

from shared.database.prepared import R, converted
from shared.database.tables import db
from shared.database.units import query
from shared.database.weights import fitting, octets
from shared.errors.requests import InvalidRequest
from shared.wire.cursors import decode_cursor, encode_cursor

# Rows that a page of a search looks at. The next page goes on from there, so a page costs the same in any list.
_MOST_SEARCHED = 1_000


class Search(NamedTuple):
    """A condition that no index helps with: the text that it reads of each row, and whether that text will do."""

    column: ColumnElement[str]
    finds: Callable[[str], bool]


def keyset_page(
    wanted: Select[Any],
    asked: dict[str, Any],
    keys: Sequence[ColumnElement[Any]],
    shape: Any,
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
    kinds = get_args(shape)
    if asked["cursor"]:
        wanted = wanted.where(_after(_decoded(asked["cursor"], kinds), keys, newest_first))
    order = [key.desc() if newest_first else key.asc() for key in keys]
    wanted, most = wanted.order_by(*order), asked["limit"]
    if text is not None:
        most = fitting(query(wanted.with_only_columns(octets(text)).limit(most)).scalars())
    if search:
        return _searched(wanted, most, keys, kinds, row, search)
    rows = query(wanted.limit(most + 1), row=row)
    items, more = rows[:most], len(rows) > most
    cursor = encode_cursor([getattr(items[-1], str(key.key)) for key in keys], kinds) if more else None
    return {"items": present(items), "next_cursor": cursor}


def _searched(
    wanted: Select[Any],
    most: int,
    keys: Sequence[ColumnElement[Any]],
    kinds: Sequence[type],
    row: type[R],
    search: Search,
) -> dict[str, Any]:
    """The page of the rows in which the search finds something. It goes on after the last row that it looked at."""
    # A row that is passed over needs no conversion of its values, which costs more than all the rest (D-212).
    raw = [type_coerce(column, NullType) for column in (*keys, search.column)]
    seen = query(wanted.with_only_columns(*raw).limit(_MOST_SEARCHED + 1))
    some = seen[:_MOST_SEARCHED]
    hits = [number for number, one in enumerate(some) if search.finds(one[-1])][: most + 1]
    looked_at = some if len(hits) <= most else some[: hits[most]]
    ids = [str(some[number][len(keys) - 1]) for number in hits[:most]]
    found = query(wanted.where(keys[-1].in_(ids)), row=row) if ids else []
    more = len(looked_at) < len(seen)
    cursor = encode_cursor(converted(looked_at[-1], keys, db.engine.dialect), kinds) if more else None
    return {"items": found, "next_cursor": cursor}


def _after(last: Sequence[Any], keys: Sequence[ColumnElement[Any]], newest_first: bool) -> ColumnElement[bool]:
    values = tuple_(*(literal(value, key.type) for value, key in zip(last, keys, strict=True)))
    return tuple_(*keys) < values if newest_first else tuple_(*keys) > values


def _decoded(cursor: str, kinds: Sequence[type]) -> list[Any]:
    try:
        return decode_cursor(cursor, kinds)
    except ValueError as error:
        raise InvalidRequest(errors={"cursor": ["Not a cursor of this list."]}) from error
