"""A client with types that openapi-typescript made from the document compiles under `tsc --strict`."""

import json
from pathlib import Path

from tests.contracts.wire.tools import ROOT, run_tool

CLIENT = Path(__file__).with_name("client.ts")
_OPTIONS = {
    "strict": True,
    "noEmit": True,
    "skipLibCheck": True,
    "module": "esnext",
    "moduleResolution": "bundler",
    "target": "es2022",
    "lib": ["es2022", "dom"],
    "types": [],
}


def test_a_generated_client_has_no_error_and_a_misspelt_field_is_one(files: dict[str, Path]) -> None:
    folder = files["openapi.json"].parent
    code, output = run_tool("openapi-typescript", files["openapi.json"], "-o", "openapi.ts", folder=folder)
    assert code == 0, output
    (folder / "node_modules").symlink_to(ROOT / "node_modules")
    (folder / "tsconfig.json").write_text(json.dumps({"compilerOptions": _OPTIONS, "include": ["*.ts"]}))
    (folder / "client.ts").write_text(CLIENT.read_text())
    (folder / "misspelt.ts").write_text(CLIENT.read_text().replace("chat?.displayId", "chat?.dislayId"))
    _, output = run_tool("tsc", "-p", ".", "--pretty", "false", folder=folder)
    assert [line.partition("(")[0] for line in output.splitlines()] == ["misspelt.ts"], output
