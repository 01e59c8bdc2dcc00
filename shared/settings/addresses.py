"""Checks the addresses of the database and of Redis. Each mistake is one sentence, which repeats no password."""

import re
from urllib.parse import parse_qsl, urlsplit

_SQLITE = re.compile(r"sqlite:///.+")
_POSTGRES = re.compile(r"postgresql(\+psycopg)?://([^:/@]*(:[^@]*)?@)?(\[[^]]+\]|[^/:?@]*)(:\d{1,5})?([/?].*)?")
_REDIS_NUMBER = re.compile(r"(/\d*)?")
# The options that REDIS_URL may have, besides those of TLS. Holdfast sets all others itself. A time-out of the
# operator's would hold up posts, which wait for Redis.
_REDIS_OPTIONS = ("db", "username", "password")


def trouble_with_database(url: str) -> str:
    """The reason why this cannot be DATABASE_URL; empty if it can."""
    scheme = url.split(":", 1)[0]
    if scheme not in ("sqlite", "postgresql", "postgresql+psycopg"):
        return f"DATABASE_URL starts with {scheme!r}: use sqlite:///FILE or postgresql://USER@HOST/NAME."
    if not (_SQLITE if scheme == "sqlite" else _POSTGRES).fullmatch(url):
        return (
            "DATABASE_URL can't be read: use sqlite:///FILE or postgresql://USER:PASSWORD@HOST:PORT/NAME,"
            " with @ / : in a password written as %40 %2F %3A."
        )
    return ""


def trouble_with_redis(url: str) -> str:
    """The reason why this cannot be REDIS_URL; empty if it can."""
    try:
        address = urlsplit(url)
        readable = _names_a_redis(address.scheme, address.path) and address.port != 0
    except ValueError:  # the port is no number, or the password has brackets
        readable = False
    if not readable:
        return (
            "REDIS_URL can't be read: use redis://USER:PASSWORD@HOST:PORT/NUMBER, rediss:// for TLS, or unix:///FILE,"
            " with @ / : # in a password written as %40 %2F %3A %23."
        )
    for name, value in parse_qsl(address.query, keep_blank_values=True):
        if name not in _REDIS_OPTIONS and not name.startswith("ssl_"):
            return f"REDIS_URL has the option {name!r}, which Holdfast sets by itself: leave it out."
        if name == "db" and not value.isdecimal():
            return "REDIS_URL has an option 'db' that is not a number."
    return ""


def _names_a_redis(scheme: str, path: str) -> bool:
    if scheme == "unix":
        return len(path) > 1
    return scheme in ("redis", "rediss") and bool(_REDIS_NUMBER.fullmatch(path))
