"""Bounds a page by the bytes of its texts, whatever number of rows a client asks for (D-104).

The database tells the sizes first, and sends only the rows that fit. Otherwise 200 long messages would be an answer of
hundreds of megabytes.
"""

from collections.abc import Iterable
from itertools import accumulate
from typing import Any

from sqlalchemy import BigInteger
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

#: Bytes of text on one page, in UTF-8. One text may be longer, and is then alone on its page.
MOST_BYTES = 1024 * 1024


class octets(FunctionElement[int]):
    """The bytes of a text column. PostgreSQL does not even read the text for this."""

    type = BigInteger()
    inherit_cache = True


@compiles(octets, "postgresql")
def _postgres_octets(element: octets, compiler: Any, **options: Any) -> str:
    return f"octet_length({compiler.process(element.clauses, **options)})"


@compiles(octets, "sqlite")
def _sqlite_octets(element: octets, compiler: Any, **options: Any) -> str:
    return f"length(cast({compiler.process(element.clauses, **options)} as blob))"


def fitting(sizes: Iterable[int], most: int = MOST_BYTES) -> int:
    """How many of these texts, from the first on, fit on one page. It is at least one, or no page would go on."""
    return max(1, sum(total <= most for total in accumulate(sizes)))
