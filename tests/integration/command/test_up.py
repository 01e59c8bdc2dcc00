"""`holdfast up` as a user runs it: in its own folder, with an embedded Redis, a database and its own data."""

import re
import stat
import tempfile
from pathlib import Path

import httpx2
import pytest
from redis import Redis
from redis.exceptions import ConnectionError as RefusedError

from shared.command.embedded_redis import EmbeddedRedis
from tests.eventually import eventually
from tests.fake_model import FakeModel
from tests.integration.command.conftest import Up
from tests.services.guard import Guard
from tests.services.programs import ROOT
from tests.services.service import Service


def redis_of(folder: Path) -> Redis:
    return Redis(unix_socket_path=str(folder / "var" / "redis" / "redis.sock"))


def test_it_prints_the_address_and_a_sign_in_when_the_page_answers(up: Up, ports: dict[str, str]) -> None:
    service = up()
    assert f"open http://127.0.0.1:{ports['PORT']}\n" in service.log
    assert httpx2.get(f"http://127.0.0.1:{ports['PORT']}/healthz").status_code == 200
    assert re.fullmatch(r" \S+@\S+ with the password \S{12}", sign_in(service))


@pytest.mark.parametrize(
    ("host", "elsewhere"), [("::1", ""), ("::", ", or port {} of any other address of this machine")]
)
def test_it_listens_on_ipv6_and_prints_an_address_that_a_browser_opens(
    up: Up, ports: dict[str, str], host: str, elsewhere: str
) -> None:
    service = up(HOLDFAST_HOST=host)
    address = f"http://[::1]:{ports['PORT']}"
    assert f"open {address}{elsewhere.format(ports['PORT'])}\n" in service.log
    assert httpx2.get(f"{address}/healthz").status_code == 200


def test_the_data_folder_is_private_and_the_redis_in_it_keeps_what_it_is_given(up: Up, folder: Path) -> None:
    up()
    modes = {name: stat.S_IMODE((folder / name).stat().st_mode) for name in ("var", "var/redis", "var/secret-key")}
    assert modes == {"var": 0o700, "var/redis": 0o700, "var/secret-key": 0o600}
    with redis_of(folder) as redis:
        wanted = {"appendonly": "yes", "appendfsync": "everysec", "save": "", "maxmemory-policy": "noeviction"}
        assert redis.config_get(*wanted) == wanted


def test_a_second_run_keeps_the_data_even_after_kill_9(up: Up, folder: Path) -> None:
    first = up()
    with redis_of(folder) as redis:
        redis.set("kept", "yes")
    secrets = (sign_in(first), (folder / "var" / "secret-key").read_text())
    first.kill()
    second = up()
    with redis_of(folder) as redis:
        assert redis.get("kept") == b"yes"
    assert (sign_in(second), (folder / "var" / "secret-key").read_text()) == secrets


def sign_in(service: Service) -> str:
    eventually(lambda: "sign in as" in service.log)
    return service.log.split("sign in as")[1].splitlines()[0]


def test_a_redis_left_by_a_run_that_was_killed_with_its_guards_is_replaced(up: Up, guard: Guard, folder: Path) -> None:
    (folder / "var").mkdir()
    leftover = Service(guard, "leftover", EmbeddedRedis(folder / "var" / "redis").command)
    with leftover:
        eventually(lambda: redis_answers(folder))
        up()
        assert not leftover.alive
        assert redis_answers(folder)


def redis_answers(folder: Path) -> bool:
    with redis_of(folder) as redis:
        try:
            return bool(redis.ping())
        except RefusedError:
            return False


def test_production_has_no_demo_user_and_uses_the_redis_that_is_set(up: Up, folder: Path, redis_url: str) -> None:
    public = {"HOLDFAST_PUBLIC_URL": "https://chat.example"}
    service = up(HOLDFAST_ENV="production", SECRET_KEY="x" * 32, REDIS_URL=redis_url, **public)
    service.stop()
    assert "ready: open https://chat.example\n" in service.log
    assert "sign in as" not in service.log
    assert not (folder / "var" / "redis").exists()


def test_a_data_folder_with_a_long_path_has_its_redis_socket_elsewhere(
    up: Up, guard: Guard, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = "x" * 120
    monkeypatch.setattr(tempfile, "tempdir", str(guard.folder))
    service = up(HOLDFAST_DATA_DIR=long, TMPDIR=str(guard.folder), HOLDFAST_HOST="0.0.0.0")
    assert re.search(r"open http://127.0.0.1:(\d+), or port \1 of any other address of this machine\n", service.log)
    redis = EmbeddedRedis(folder / long / "redis")
    assert len(str(redis.socket)) < 100
    assert stat.S_IMODE(redis.socket.parent.stat().st_mode) == 0o700
    with Redis.from_url(redis.url) as client:
        assert client.ping()


def test_the_real_programs_come_up_and_end_with_ctrl_c(up: Up, folder: Path, ports: dict[str, str]) -> None:
    (folder / "Procfile").write_text((ROOT / "Procfile").read_text())
    service = up()
    for port in ports.values():
        assert httpx2.get(f"http://127.0.0.1:{port}/healthz").status_code == 200
    assert service.stop() == 0
    assert "starting it again" not in service.log
    assert not redis_answers(folder)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_it_uses_the_database_the_redis_and_the_model_that_are_set(
    up: Up, folder: Path, database_url: str, redis_url: str, fake_model: FakeModel
) -> None:
    (folder / "Procfile").write_text((ROOT / "Procfile").read_text())
    service = up(
        DATABASE_URL=database_url,
        REDIS_URL=redis_url,
        OPENAI_API_KEY="only-for-tests",
        OPENAI_BASE_URL=fake_model.base_url,
        MODEL="fake",
    )
    told = re.compile(r"ready: open (\S+)\n.*sign in as (\S+) with the password (\S+)\n", re.DOTALL)
    address, email, password = eventually(lambda: told.search(service.log)).groups()  # type: ignore[union-attr]
    with httpx2.Client(base_url=address) as http:
        signed_in = http.post("/auth/sign-in", json={"email": email, "password": password}).json()
        http.headers["Authorization"] = f"Bearer {signed_in['accessToken']}"
        messages = f"/chats/{http.post('/chats', json={}).json()['id']}/messages"
        reply = http.post(messages, json={"content": "Who are you?"}).json()["reply"]
        eventually(lambda: http.get(f"{messages}/{reply['id']}").json()["status"] == "completed", within=20)
    assert {request.model for request in fake_model.requests} == {"fake"}  # the chat's title is asked for, too
    assert not (folder / "var" / "redis").exists()
    assert not list((folder / "var").glob("*.db"))
