"""The reference client's files: the page, its own modules and styles, and the npm libraries they import.

Nothing here needs a token; what the page shows it asks from the same REST API as any other client.
"""

from pathlib import Path

from flask import Blueprint, Response, abort, send_file, send_from_directory

from api.access.decorators import public
from api.resources.ops import realtime_url

pages = Blueprint("pages", __name__)

CLIENT = Path(__file__).parents[1] / "client"
NODE_MODULES = Path(__file__).parents[2] / "node_modules"

# What a page may load from npm packages: the name in the URL, and the file it stands for.
VENDOR = {
    "dompurify.js": "dompurify/dist/purify.es.mjs",
    "markdown-it.js": "markdown-it/dist/browser/markdown-it.esm.min.mjs",
    "socket.io.js": "socket.io-client/dist/socket.io.esm.min.js",
}


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
    """A library of the page, out of node_modules."""
    if name not in VENDOR:
        abort(404)
    return send_from_directory(NODE_MODULES, VENDOR[name], mimetype="text/javascript")


@pages.after_request
def with_strict_headers(response: Response) -> Response:
    """Load from here alone, run no inline script, tell other sites nothing; ask again before using a copy."""
    response.headers["Content-Security-Policy"] = _content_security_policy(realtime_url())
    response.headers["Cache-Control"] = "no-cache"
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    response.headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=()"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Content-Type-Options"] = "nosniff"
    # A browser would look up the host of every link in a reply: that alone can carry data out.
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
