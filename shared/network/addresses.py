"""IP addresses: the part of one that limits count, and the form that a URL or a client on this machine needs."""

from ipaddress import IPv6Address, ip_address, ip_network

#: The ports of a URL without one. A browser leaves them out.
USUAL_PORTS = {"http": 80, "https": 443}

# A provider gives each customer at least this many bits of IPv6 addresses, so such a network counts as one address.
_IPV6_BITS = 64


def network_of(address: str) -> str:
    """The name under which all limits count this address: itself, or its network if it is IPv6 (D-134).

    A text that is no address stays as it is.
    """
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if not isinstance(found, IPv6Address):
        return str(found)
    return str(found.ipv4_mapped or ip_network((int(found), _IPV6_BITS), strict=False))


def local(host: str) -> str:
    """The address at which this machine reaches a program that listens on this host."""
    try:
        address = ip_address(host)
    except ValueError:  # a name
        return host
    if not address.is_unspecified:
        return str(address)
    return "::1" if address.version == 6 else "127.0.0.1"


def in_url(host: str) -> str:
    """The host as a URL needs it."""
    return f"[{host}]" if ":" in host else host
