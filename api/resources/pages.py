"""The reference client's files: the page, its own modules and styles, and the npm libraries they import.

No file needs a token. The page asks the REST API for everything that it shows, like any other client.
"""

from pathlib import Path

from flask import Blueprint, Response, abort, request, send_file, send_from_directory

from api.access.decorators import public
from api.resources.ops import realtime_url

pages = Blueprint("pages", __name__)

CLIENT = Path(__file__).parents[1] / "client"
NODE_MODULES = Path(__file__).parents[2] / "node_modules"

# The files of npm packages that the page may load, by their name in the URL.
VENDOR = {
    "dompurify.js": "dompurify/dist/purify.es.mjs",
    "markdown-it.js": "markdown-it/dist/browser/markdown-it.esm.min.mjs",
    "socket.io.js": "socket.io-client/dist/socket.io.esm.min.js",
}


@pages.before_request
def send_whole_files() -> None:
    """Ignore `Range`, as a server may. The files are small, and a client may ask for any nonsense."""
    request.environ.pop("HTTP_RANGE", None)


@pages.get("/")
@public
def index() -> Response:
    """The page itself."""
    return send_file(CLIENT / "index.html")


@pages.get("/client/<path:path>")
@public
def client_file(path: str) -> Response:
    """A module, a style sheet or an icon of the page."""
    return send_from_directory(CLIENT, path)


@pages.get("/vendor/<name>")
@public
def vendor_file(name: str) -> Response:
    """A library of the page, from node_modules."""
    if name not in VENDOR:
        abort(404)
    return send_from_directory(NODE_MODULES, VENDOR[name], mimetype="text/javascript")


@pages.after_request
def with_strict_headers(response: Response) -> Response:
    """The page loads from this site only, runs no inline script, and tells other sites nothing.

    The browser asks before it uses a cached copy.
    """
    response.headers["Content-Security-Policy"] = _content_security_policy(realtime_url())
    response.headers["Cache-Control"] = "no-cache"
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    response.headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=()"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Content-Type-Options"] = "nosniff"
    # Otherwise a browser looks up the host of every link in a reply. Such a look-up can carry data out.
    response.headers["X-DNS-Prefetch-Control"] = "off"
    return response


def _content_security_policy(realtime: str) -> str:
    socket = "ws" + realtime.removeprefix("http")
    return "; ".join(
        [
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self'",
            "font-src 'self'",
            f"connect-src 'self' {realtime} {socket}",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types dompurify",
        ]
    )
