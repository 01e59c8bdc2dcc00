"""The page's files load and do nothing forbidden. The server sends the right headers, and the lock file is sound."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from api.pages.files import CLIENT, NODE_MODULES, VENDOR, pages
from shared.settings import load_settings

ROOT = Path(__file__).parents[3]
MODULES = sorted(CLIENT.rglob("*.js"))
PACKAGE = json.loads((ROOT / "package.json").read_text())
LOCK = json.loads((ROOT / "package-lock.json").read_text())["packages"]

# Each would open a way around the sanitiser, put a token where other scripts find it, or load from elsewhere.
FORBIDDEN = re.compile(
    r"innerHTML|outerHTML|insertAdjacentHTML|srcdoc|document\.write|createContextualFragment|DOMParser|setHTML"
    r"|\beval\b|new Function|localStorage|sessionStorage|indexedDB|document\.cookie|https?://"
)
#: The user's unsent words are kept between two pages, and nothing else is (D-195).
ALLOWED = {"keep.js": {"localStorage"}}
IMPORT = re.compile(r"^(?:import|export) [^;]*?[\"']([^\"']+)[\"'];", re.MULTILINE)


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> FlaskClient:
    monkeypatch.setenv("HOLDFAST_ENV", "test")
    app = Flask(__name__, static_folder=None)
    app.config["HOLDFAST"] = replace(load_settings(), realtime_url="", realtime_port=8001)
    app.register_blueprint(pages)
    return app.test_client()


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.relative_to(CLIENT).as_posix())
def test_a_module_says_what_it_is_and_keeps_to_safe_ways(module: Path) -> None:
    source = module.read_text()
    assert set(FORBIDDEN.findall(source)) <= ALLOWED.get(module.name, set())
    assert source.startswith("//"), "a module says first what lives in it"


def test_the_module_that_knows_the_storage_knows_no_session() -> None:
    source = (CLIENT / "wire" / "keep.js").read_text()
    assert IMPORT.findall(source) == []
    assert re.findall(r"\btoken\b|\bsession\b", re.sub(r"//.*", "", source)) == []


@pytest.mark.parametrize("line", ["a.innerHTML = b", "localStorage.token = t", 'fetch("https://a.example")'])
def test_each_unsafe_way_is_found(line: str) -> None:
    assert FORBIDDEN.search(line)


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.relative_to(CLIENT).as_posix())
def test_every_import_is_served(client: FlaskClient, module: Path) -> None:
    for target in IMPORT.findall(module.read_text()):
        path = target if target.startswith("/") else f"/client/{_relative(module, target)}"
        answer = client.get(path, buffered=True)
        assert (path, answer.status_code, answer.mimetype) == (path, 200, "text/javascript")


def _relative(module: Path, target: str) -> str:
    return (module.parent / target).resolve().relative_to(CLIENT).as_posix()


def test_only_one_module_knows_the_sanitiser_and_the_markdown_renderer() -> None:
    knowing = {module.name for module in MODULES if re.search(r"dompurify|markdown-it", module.read_text())}
    assert knowing == {"markdown.js"}


@pytest.mark.parametrize("module", sorted((CLIENT / "state").glob("*.js")), ids=lambda path: path.name)
def test_the_state_is_changed_without_the_page_or_the_network(module: Path) -> None:
    assert all(re.fullmatch(r"\./[\w-]+\.js", target) for target in _imports(module))
    assert not re.search(r"\b(document|window|fetch|setTimeout)\b[.(]", module.read_text())


def _imports(module: Path) -> list[str]:
    return IMPORT.findall(module.read_text())


def test_the_page_has_no_inline_script_or_style() -> None:
    page = (CLIENT / "index.html").read_text()
    assert re.findall(r"<script(?![^>]*\bsrc=)[^>]*>|<style|\sstyle=|\son\w+=|https?://", page) == []


def test_styles_load_nothing() -> None:
    for sheet in CLIENT.rglob("*.css"):
        assert re.findall(r"url\(|@import", sheet.read_text()) == []


@pytest.mark.parametrize("path", ["/", "/client/main.js", "/client/styles/frame.css", "/vendor/socket.io.js"])
def test_every_file_carries_strict_headers_and_is_asked_for_again(client: FlaskClient, path: str) -> None:
    answer = client.get(path, buffered=True)
    policy = dict(part.split(" ", 1) for part in answer.headers["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == policy["base-uri"] == policy["frame-ancestors"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["img-src"] == policy["form-action"] == "'self'"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cache-Control"] == "no-cache"
    known = {"If-None-Match": answer.headers["ETag"]}
    assert client.get(path, headers=known, buffered=True).status_code == 304


def test_the_page_may_reach_its_own_origin_and_the_sockets_alone(client: FlaskClient) -> None:
    answer = client.get("/", base_url="http://chat.example:8000", buffered=True)
    sockets = "http://chat.example:8001 ws://chat.example:8001"
    assert f"connect-src 'self' {sockets};" in answer.headers["Content-Security-Policy"]


def test_sockets_elsewhere_are_let_in_by_the_setting(client: FlaskClient) -> None:
    config = client.application.config
    config["HOLDFAST"] = replace(config["HOLDFAST"], realtime_url="https://live.example")
    policy = client.get("/", buffered=True).headers["Content-Security-Policy"]
    assert "connect-src 'self' https://live.example wss://live.example;" in policy


@pytest.mark.parametrize(
    "path",
    ["/client/../pages.py", "/client/%2e%2e/pages.py", "/client/..%2fpages.py", "/vendor/package.json", "/client/"],
)
def test_nothing_else_is_served(client: FlaskClient, path: str) -> None:
    assert client.get(path).status_code == 404


def test_libraries_are_pinned_and_present() -> None:
    assert LOCK[""]["dependencies"] == PACKAGE["dependencies"]
    for name, version in PACKAGE["dependencies"].items():
        assert re.fullmatch(r"\d+\.\d+\.\d+", version)
        assert LOCK[f"node_modules/{name}"]["version"] == version
        assert json.loads((NODE_MODULES / name / "package.json").read_text())["version"] == version
    assert {path.split("/")[0] for path in VENDOR.values()} == set(PACKAGE["dependencies"])


def test_the_lock_file_names_hashes_and_no_addresses_to_download_from() -> None:
    packages = {name: entry for name, entry in LOCK.items() if name}
    assert all(entry["integrity"].startswith("sha512-") for entry in packages.values())
    assert not any("resolved" in entry for entry in packages.values())
