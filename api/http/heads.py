"""Refuses requests with a long address or long headers, before anything reads them (D-101).

A server in front of the app has limits of its own. These hold behind any server.
"""

from flask import request

from shared.errors.requests import AddressTooLong, HeadersTooLarge

# Bytes of path and query together, of one header, and of all headers.
_MOST_ADDRESS = 8 * 1024
_MOST_HEADER = 16 * 1024
_MOST_HEADERS = 32 * 1024


def refuse_long_head() -> None:
    """Flask calls this before each request. Raises AddressTooLong, HeadersTooLarge."""
    if len(request.path) + len(request.query_string) > _MOST_ADDRESS:
        raise AddressTooLong
    sizes = [len(name) + len(value) for name, value in request.headers]
    if sum(sizes) > _MOST_HEADERS or max(sizes, default=0) > _MOST_HEADER:
        raise HeadersTooLarge
