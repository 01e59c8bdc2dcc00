"""`python -m scripts.contract` writes the committed copies of both documents for authors of clients.

A copy names no model, because each server has its own.
"""

import json
import os
from pathlib import Path
from typing import Any

from flask import Flask

from api.app import create_app
from api.documents.asyncapi import asyncapi
from api.documents.openapi import openapi

DOCS = Path(__file__).parents[1] / "docs"
#: The app is made, but it never serves, so it connects to nothing.
NOWHERE = {
    "HOLDFAST_ENV": "test",
    "SECRET_KEY": "guards nothing, because nothing is served",
    "DATABASE_URL": "sqlite:///none.db",
    "REDIS_URL": "redis://127.0.0.1:1/0",
}


def main() -> None:
    """Write both copies."""
    os.environ |= NOWHERE
    for name, document in documents(create_app()).items():
        (DOCS / name).write_text(as_text(document))


def documents(app: Flask) -> dict[str, dict[str, Any]]:
    """Each document by the name of its copy."""
    return {"openapi.json": openapi(app), "asyncapi.json": asyncapi()}


def as_text(document: dict[str, Any]) -> str:
    """The text of a copy, with short lines for small differences."""
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    main()
