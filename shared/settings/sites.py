"""The sites in the settings, as a browser's `Origin` names them (D-203)."""

import re
from ipaddress import IPv4Address, IPv6Address

from shared.network.addresses import USUAL_PORTS

_SITE = re.compile(r"(https?)://(\[[^]]*\]|[^/:]*)(?::([1-9][0-9]{0,4}))?/*")
_LABEL = "[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?"
_NAME = re.compile(rf"({_LABEL}\.)*{_LABEL}")
# A browser reads a host as an IPv4 address if its last part is such a number.
_ENDS_IN_A_NUMBER = re.compile(r"(.*\.)?([0-9]+|0x[0-9a-f]*)")


def origin_of(site: str) -> str:
    """The site in lower case, without blanks around it, a slash, or its usual port. Any other text stays."""
    site = site.strip()
    parts = _SITE.fullmatch(site.lower())
    if not parts:
        return site
    scheme, host, port = parts.groups()
    usual = port is None or int(port) == USUAL_PORTS[scheme]
    return f"{scheme}://{_short(host)}" + ("" if usual else f":{port}")


def trouble_with_site(name: str, site: str) -> str:
    """The reason why this setting cannot name the site of such an origin; empty if it can."""
    parts = _SITE.fullmatch(site)
    if parts and site == origin_of(site) and _is_host(parts[2]) and int(parts[3] or 0) < 65536:
        return ""
    return (
        f"{name} has {site!r}: name a site as http://HOST:PORT or https://HOST, without a path or a star,"
        " an international name as xn--NAME, and an IPv6 address as [ADDRESS]."
    )


def _short(host: str) -> str:
    try:
        return f"[{IPv6Address(host.removeprefix('[').removesuffix(']'))}]"
    except ValueError:  # a name, or no host at all
        return host


def _is_host(host: str) -> bool:
    try:
        if host.startswith("["):
            address = IPv6Address(host[1:-1])
            return address.scope_id is None and address.ipv4_mapped is None  # a browser names none of these
        if _ENDS_IN_A_NUMBER.fullmatch(host):
            return str(IPv4Address(host)) == host
        return bool(_NAME.fullmatch(host))
    except ValueError:
        return False
