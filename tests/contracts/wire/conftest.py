"""Both documents, as files that the tools can read."""

import json
from pathlib import Path
from typing import Any

import pytest

from api.app import create_app
from scripts.contract import NOWHERE, as_text, documents


@pytest.fixture(scope="session")
def texts() -> dict[str, str]:
    """The text of each document by its name, made from the code. Nothing is served, so no service is needed."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in NOWHERE.items():
            patch.setenv(name, value)
        return {name: as_text(document) for name, document in documents(create_app()).items()}


@pytest.fixture
def made(texts: dict[str, str]) -> dict[str, dict[str, Any]]:
    """Each document by its name. A test may change it."""
    return {name: json.loads(text) for name, text in texts.items()}


@pytest.fixture
def document(made: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The OpenAPI document."""
    return made["openapi.json"]


@pytest.fixture
def files(texts: dict[str, str], tmp_path: Path) -> dict[str, Path]:
    """Each document in a file."""
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    return {name: tmp_path / name for name in texts}
