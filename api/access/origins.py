"""Which sites' pages may open a socket. A socket still needs a token, which no other site's page has."""

from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from shared.network.addresses import USUAL_PORTS
from shared.settings import Settings

MayOpen = Callable[[str, Mapping[str, str]], bool]


def may_open(settings: Settings) -> MayOpen:
    """Tells by `Origin` and the request's environment whether a page may open a socket here.

    A page of HOLDFAST_ALLOWED_ORIGINS may. The API's own page may, under each name that this machine has: its host is
    that of the socket, and its port is that of the socket, or PORT.
    """
    listed = set(settings.allowed_origins)

    def allowed(origin: str, environ: Mapping[str, str]) -> bool:
        return origin.lower() in listed or _is_own(origin, environ.get("HTTP_HOST", ""), settings.port)

    return allowed


def _is_own(origin: str, host: str, port: int) -> bool:
    try:
        page, here = urlsplit(origin), urlsplit(f"//{host}")
        same_host = page.hostname is not None and page.hostname == here.hostname
        return same_host and (page.netloc == here.netloc or (page.port or USUAL_PORTS.get(page.scheme)) == port)
    except ValueError:  # a client may send anything here
        return False
