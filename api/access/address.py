"""The address that a request's client is known by, behind as many proxies as the settings trust."""

from ipaddress import IPv6Address, ip_address, ip_network

from flask import Flask, request
from werkzeug.middleware.proxy_fix import ProxyFix

from shared.settings import Settings

# A provider gives each customer at least this many bits of IPv6 addresses, so such a network counts as one address.
_IPV6_BITS = 64


def trust_proxies(app: Flask, settings: Settings) -> None:
    """Take the address and the scheme from the headers of the trusted proxies, and from no others."""
    trusted = settings.trusted_proxies
    if trusted:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=trusted, x_proto=1, x_host=0)  # type: ignore[method-assign]


def client_address() -> str:
    """The client's address, or its network if that is IPv6. A client on a Unix socket has the address of this host."""
    try:
        address = ip_address(request.remote_addr or "127.0.0.1")
    except ValueError:
        return request.remote_addr or ""
    if not isinstance(address, IPv6Address):
        return str(address)
    return str(address.ipv4_mapped or ip_network((int(address), _IPV6_BITS), strict=False))
