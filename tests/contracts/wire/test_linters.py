"""Public linters find nothing in the documents, not even something to warn of."""

import json
from pathlib import Path

from tests.contracts.wire.tools import run_tool

_OPTIONS = ("-r", "rules.json", "--format=json", "--fail-severity=hint")


def test_redocly_finds_nothing_in_the_openapi_document(files: dict[str, Path]) -> None:
    file = files["openapi.json"]
    _, output = run_tool("redocly", "lint", file, "--extends=recommended", "--format=json", folder=file.parent)
    found = json.loads(output[output.index("{") : output.rindex("}") + 1])
    assert (found["problems"], found["totals"]["warnings"]) == ([], 0)


def test_spectral_finds_nothing_in_either_document(files: dict[str, Path]) -> None:
    """The same run has two poor documents, in which it finds much. The tool starts slowly, so it runs once."""
    folder = files["openapi.json"].parent
    info = {"title": "Poor", "version": "1"}
    (folder / "poor-openapi.json").write_text(json.dumps({"openapi": "3.1.0", "info": info, "paths": {}}))
    (folder / "poor-asyncapi.json").write_text(json.dumps({"asyncapi": "3.1.0", "info": info}))
    (folder / "rules.json").write_text('{"extends": ["spectral:oas", "spectral:asyncapi"]}')
    _, output = run_tool("spectral", "lint", *folder.glob("*api.json"), *_OPTIONS, folder=folder)
    found = json.loads(output[output.index("[") : output.rindex("]") + 1])
    assert {Path(each["source"]).name for each in found} == {"poor-openapi.json", "poor-asyncapi.json"}, output
