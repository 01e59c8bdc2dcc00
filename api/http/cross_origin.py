"""Lets the pages of other sites use the API: those of HOLDFAST_ALLOWED_ORIGINS, and no others.

A browser asks first for anything that a form could not send (CORS). The page of the API's own site needs no permission.
"""

import re

from flask import Flask
from flask_cors import CORS

from shared.settings import Settings

# Seconds for which a browser keeps the permission before it asks again.
_KEPT = 600
_MAY_SEND = ["Authorization", "Content-Type", "Idempotency-Key", "If-None-Match"]
# A script of another site sees no other headers of an answer, beside the type and the length.
_MAY_READ = [
    "Content-Disposition",
    "ETag",
    "Idempotent-Replayed",
    "RateLimit-Limit",
    "RateLimit-Remaining",
    "RateLimit-Reset",
    "Retry-After",
    "WWW-Authenticate",
]


def allow_origins(app: Flask, settings: Settings) -> None:
    """Answer browsers that ask for a page of another site. Such a page may send the cookie of `/auth`, too."""
    CORS(
        app,
        # the library would read the brackets of an IPv6 address as a pattern
        origins=[re.compile(re.escape(origin) + r"\Z", re.IGNORECASE) for origin in settings.allowed_origins],
        allow_headers=_MAY_SEND,
        expose_headers=_MAY_READ,
        supports_credentials=True,
        always_send=False,
        max_age=_KEPT,
    )
