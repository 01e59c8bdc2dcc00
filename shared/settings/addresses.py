"""Checks the addresses in the settings. Each mistake becomes one sentence, which never repeats a password."""

import re
from urllib.parse import parse_qsl, urlsplit

from shared.network.addresses import USUAL_PORTS, in_url

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


def origin_of(site: str) -> str:
    """The site as a browser's `Origin` names it: in lower case, without a slash or its usual port (D-203)."""
    site = site.lower()
    site = site.rstrip("/") or site
    scheme = site.partition(":")[0]
    return site.removesuffix(f":{USUAL_PORTS[scheme]}") if scheme in USUAL_PORTS else site


def trouble_with_site(name: str, site: str) -> str:
    """The reason why this setting cannot name the site of such an origin; empty if it can."""
    try:
        address = urlsplit(site)
        port = f":{address.port}" if address.port else ""
        readable = address.scheme in USUAL_PORTS and bool(address.hostname)
        readable = readable and site == f"{address.scheme}://{in_url(address.hostname or '')}{port}"
    except ValueError:  # the port is no number, or the brackets have no partner
        readable = False
    if not readable or "*" in site or not site.isascii():
        return (
            f"{name} has {site!r}: name a site as http://HOST:PORT or https://HOST, without a path or a star,"
            " and an international name as xn--NAME."
        )
    return ""


def _names_a_redis(scheme: str, path: str) -> bool:
    if scheme == "unix":
        return len(path) > 1
    return scheme in ("redis", "rediss") and bool(_REDIS_NUMBER.fullmatch(path))
