"""The import rule, and one door for each outside thing: see [tool.importlinter] in pyproject.toml."""

import ast
import shutil
import subprocess
import sys
import tomllib
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("api", "workers", "shared")
# Settings read it. `holdfast up` passes it on to the programs. Dramatiq takes its prefetch from nowhere else.
MAY_KNOW_THE_ENVIRONMENT = {"shared/settings/environment.py", "shared/command/up.py", "workers/__main__.py"}


def lint_imports(root: Path) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache", "--no-logo"]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)


def test_imports_point_one_way_through_one_door() -> None:
    linted = lint_imports(ROOT)
    assert linted.returncode == 0, linted.stdout


BREACHES = {
    "api/resources/auth.py": "import workers.main",
    "api/app.py": "import api.sockets.rooms",
    "api/access/tokens.py": "import api.resources.auth",
    "api/sockets/rooms.py": "import sqlalchemy",
    "shared/models/chat.py": "import shared.actions.queue.dispatch",
    "shared/database/tables.py": "import shared.database.clock",
    "workers/run.py": "import socketio",
    "shared/actions/queue/dispatch.py": "import openai",
    "api/resources/messages.py": "import dramatiq",
    "api/resources/chats.py": "import throttled",
    "api/http/paging.py": "import uvicorn",
    "api/realtime.py": "import api.serving.wsgi",
}


def test_each_breach_is_found(tmp_path: Path) -> None:
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("client"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for file, line in BREACHES.items():
        with (tmp_path / file).open("a") as module:
            module.write(f"\n{line}\n")
    assert "Contracts: 0 kept, 12 broken." in lint_imports(tmp_path).stdout


def imported_by(file: Path) -> set[str]:
    """The packages that a module imports, without ours and Python's own."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
    return {name.split(".")[0] for name in found} - sys.stdlib_module_names - {*PACKAGES}


def test_a_library_that_one_provider_alone_imports_has_a_contract() -> None:
    by_file = {file: imported_by(file) for package in PACKAGES for file in (ROOT / package).rglob("*.py")}
    users = Counter(name for names in by_file.values() for name in names)
    providers = [file for file in (ROOT / "workers" / "providers").glob("*.py") if "Provider:" in file.read_text()]
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    forbidden = {name for contract in contracts for name in contract.get("forbidden_modules", ())}
    own = {name for file in providers for name in by_file[file] if users[name] == 1}
    assert "openai" in own
    assert own <= forbidden


def knows_the_environment(source: str) -> bool:
    tree = ast.parse(source)
    attributes = [node for node in ast.walk(tree) if isinstance(node, ast.Attribute)]
    names = {node.attr for node in attributes if ast.unparse(node) != "request.environ"}  # that is of one request
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    names |= {alias.name for node in imports for alias in node.names}
    return not names.isdisjoint({"environ", "environb", "getenv", "putenv", "environs", "dotenv"})


def test_only_settings_read_the_environment() -> None:
    files = [file for package in PACKAGES for file in (ROOT / package).rglob("*.py")]
    knowing = {str(file.relative_to(ROOT)) for file in files if knows_the_environment(file.read_text())}
    assert knowing == MAY_KNOW_THE_ENVIRONMENT


@pytest.mark.parametrize("line", ["os.environ['A']", "os.getenv('A')", "from os import environ", "import environs"])
def test_each_way_to_read_the_environment_is_found(line: str) -> None:
    assert knows_the_environment(f"import os\n{line}")
