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
    "swagger-ui.css": "swagger-ui-dist/swagger-ui.css",
    "swagger-ui.js": "swagger-ui-dist/swagger-ui-bundle.js",
}


@pages.get("/")
@public
def index() -> Response:
    """The page itself."""
    return send_file(CLIENT / "index.html")


@pages.get("/docs")
@public
def docs() -> Response:
    """The page for authors of clients. It shows both documents, and can send requests."""
    return send_file(CLIENT / "docs" / "index.html")


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
    kind = "text/css" if name.endswith(".css") else "text/javascript"
    return send_from_directory(NODE_MODULES, VENDOR[name], mimetype=kind)


@pages.after_request
def with_strict_headers(response: Response) -> Response:
    """The page loads from this site only, runs no inline script, and tells other sites nothing.

    The browser asks before it uses a cached copy.
    """
    of_docs = request.endpoint == f"{pages.name}.{docs.__name__}"
    response.headers["Content-Security-Policy"] = _DOCS_POLICY if of_docs else _content_security_policy(realtime_url())
    response.headers["Cache-Control"] = "no-cache"
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    response.headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=()"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Content-Type-Options"] = "nosniff"
    # Otherwise a browser looks up the host of every link in a reply. Such a look-up can carry data out.
    response.headers["X-DNS-Prefetch-Control"] = "off"
    return response


# Swagger UI sets HTML by itself, and has its icons in its style sheet. It shows our own document only.
_DOCS_POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "form-action 'none'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ]
)


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
