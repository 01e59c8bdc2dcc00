"""The address that a request's client is known by, behind as many proxies as the settings trust."""

import re
from ipaddress import ip_address

from flask import Flask, request
from werkzeug.middleware.proxy_fix import ProxyFix

from shared.core import current_settings
from shared.network.addresses import network_of
from shared.settings import Settings

# Some proxies add the port of their client: `192.0.2.1:99`, `[2001:db8::1]:99`.
_WITH_PORT = re.compile(r"\[([^]]*)\](?::\d+)?|([\d.]+):\d+")


def trust_proxies(app: Flask, settings: Settings) -> None:
    """Take the scheme from the header of the last trusted proxy, and from no other."""
    if settings.trusted_proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=0, x_proto=1, x_host=0)  # type: ignore[method-assign]


def client_address() -> str:
    """The address that the limits count for the client of this request."""
    forwarded, peer = request.headers.get("X-Forwarded-For", ""), request.remote_addr or ""
    return known_address(forwarded, peer, current_settings().trusted_proxies)


def known_address(forwarded: str, peer: str, trusted: int) -> str:
    """The address that the limits count, by the header X-Forwarded-For and the address of the connection.

    Each trusted proxy adds one address at the end of the header. The client wrote everything before them itself. If no
    address stands there, that of the connection counts (D-137).
    """
    told = forwarded.split(",")
    added = _without_port(told[-trusted].strip()) if 0 < trusted <= len(told) else None
    return network_of(added or peer)


def _without_port(text: str) -> str | None:
    """The address in this text. None if there is none."""
    found = _WITH_PORT.fullmatch(text)
    address = (found[1] or found[2] or "") if found else text
    try:
        ip_address(address.partition("%")[0])
    except ValueError:
        return None
    return address
