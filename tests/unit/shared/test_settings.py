"""Reading the environment: types, defaults, and a sentence for each mistake."""

import os
from dataclasses import fields
from pathlib import Path

import pytest
from sqlalchemy import make_url

from shared.actions.replies.states import HUNG_AFTER
from shared.redis.link import connect
from shared.settings import LONGEST_LEASE, Settings, SettingsError, load_settings
from workers.main import MARGIN_MS


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, str]:
    """The whole environment that the settings see, without this machine's own and without `.env`."""
    environment: dict[str, str] = {}
    monkeypatch.setattr(os, "environ", environment)
    monkeypatch.chdir(tmp_path)
    return environment


def load(environment: dict[str, str], **values: str) -> Settings:
    environment.update(values)
    return load_settings()


def refusal(environment: dict[str, str], **values: str) -> str:
    with pytest.raises(SettingsError) as refused:
        load(environment, **values)
    return str(refused.value)


def test_with_nothing_set_the_defaults_make_a_development_run(environment: dict[str, str], tmp_path: Path) -> None:
    settings = load(environment)
    assert (settings.env, settings.host, settings.port, settings.realtime_port) == (
        "development",
        "127.0.0.1",
        8000,
        8001,
    )
    assert settings.database_url == f"sqlite:///{tmp_path}/var/holdfast.db"
    assert (settings.redis_url, settings.secret_key) == ("", "")
    assert (settings.provider, settings.model, settings.models) == ("scripted", "scripted", ["scripted"])
    assert (settings.lease_seconds, settings.max_failures, settings.credits_per_reply) == (30.0, 2, 3)


def test_values_have_their_types(environment: dict[str, str]) -> None:
    settings = load(environment, PORT="80", HOLDFAST_SWEEP_SECONDS="0.5", HOLDFAST_MODELS="a,b", HOLDFAST_DATA_DIR="d")
    assert (settings.port, settings.sweep_seconds) == (80, 0.5)
    assert settings.models == ["scripted", "a", "b"]
    assert settings.data_dir == Path.cwd() / "d"


def test_a_key_chooses_the_real_provider_and_its_default_model(environment: dict[str, str]) -> None:
    settings = load(environment, OPENAI_API_KEY="k")
    assert (settings.provider, settings.model) == ("openai", "gpt-4o-mini")
    assert load(environment, MODEL="another").models == ["another"]


def test_the_model_stands_among_the_models_once(environment: dict[str, str]) -> None:
    assert load(environment, MODEL="b", HOLDFAST_MODELS="a,b").models == ["a", "b"]


def test_empty_means_not_set(environment: dict[str, str]) -> None:
    settings = load(environment, PORT="", HOLDFAST_LEASE_SECONDS="", HOLDFAST_ENV="", DATABASE_URL="")
    assert (settings.port, settings.lease_seconds, settings.env) == (8000, 30.0, "development")
    assert settings.database_url.startswith("sqlite:///")


@pytest.mark.parametrize(
    ("name", "meant"),
    [("HOLDFAST_LEASE_SECOND", "HOLDFAST_LEASE_SECONDS"), ("HOLDFAST_MAX_FAILURE", "HOLDFAST_MAX_FAILURES")],
)
def test_a_misspelt_name_gets_a_suggestion(name: str, meant: str, environment: dict[str, str]) -> None:
    assert refusal(environment, **{name: "1"}) == f"{name} is not a setting: did you mean {meant}?"


def test_a_name_like_no_other_is_refused_too(environment: dict[str, str]) -> None:
    assert refusal(environment, HOLDFAST_0123456789="1").startswith("HOLDFAST_0123456789 is not a setting: see ")


def test_names_of_other_programs_are_left_alone(environment: dict[str, str]) -> None:
    load(environment, REDIS_URI="x", HOLDFASTER="x")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "http"),
        ("PORT", "0"),
        ("PORT", "65536"),
        ("PORT", "80.5"),
        ("REALTIME_PORT", "-1"),
        ("HOLDFAST_ENV", "prod"),
        ("HOLDFAST_LOG_LEVEL", "LOUD"),
        ("HOLDFAST_WEB_THREADS", "0"),
        ("HOLDFAST_LEASE_SECONDS", "0.5"),
        ("HOLDFAST_LEASE_SECONDS", "soon"),
        ("HOLDFAST_SIGNUP_CREDITS", "-1"),
        ("HOLDFAST_SCRIPTED_WORDS_PER_SECOND", "0"),
        ("HOLDFAST_LEASE_SECONDS", "nan"),
        ("HOLDFAST_LEASE_SECONDS", "1e300"),
    ],
)
def test_a_wrong_value_is_named(name: str, value: str, environment: dict[str, str]) -> None:
    message = refusal(environment, **{name: value})
    assert f'"{name}"' in message
    assert len(message.splitlines()) == 1


def test_all_wrong_values_are_named_at_once(environment: dict[str, str]) -> None:
    lines = refusal(environment, PORT="x", HOLDFAST_WEB_THREADS="y").splitlines()
    assert [line.split('"')[1] for line in lines] == ["PORT", "HOLDFAST_WEB_THREADS"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HOLDFAST_WEB_WORKERS", "65"),
        ("HOLDFAST_WEB_THREADS", "257"),
        ("HOLDFAST_WORKER_PROCESSES", "65"),
        ("HOLDFAST_WORKER_THREADS", "100000"),
        ("HOLDFAST_DRAIN_SECONDS", "1e12"),
        ("HOLDFAST_LEASE_SECONDS", "60"),
        ("HOLDFAST_SWEEP_SECONDS", "1e9"),
        ("HOLDFAST_MAX_ACTIVE_REPLIES", "100000000000000000000"),
        ("HOLDFAST_QUEUE_TIMEOUT", "1e16"),
        ("HOLDFAST_TURN_TIMEOUT", "1e18"),
        ("HOLDFAST_SIGNUP_CREDITS", "99999999999"),
        ("HOLDFAST_CREDITS_PER_REPLY", "99999999999"),
        ("HOLDFAST_ACCESS_TOKEN_SECONDS", "100000000000000"),
        ("HOLDFAST_REFRESH_TOKEN_SECONDS", "100000000000000"),
    ],
)
def test_too_large_a_number_is_refused_with_the_most_it_may_be(
    name: str, value: str, environment: dict[str, str]
) -> None:
    rule = next(setting.metadata["rule"] for setting in fields(Settings) if setting.metadata["name"] == name)
    message = refusal(environment, **{name: value})
    assert f'"{name}"' in message
    assert f"less than or equal to {rule.max}" in message


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"FIRST_TEXT_TIMEOUT": "900"}, "REPLY_TIMEOUT"),
        ({"SILENCE_TIMEOUT": "100", "REPLY_TIMEOUT": "100", "FIRST_TEXT_TIMEOUT": "9"}, "REPLY_TIMEOUT"),
        (
            {"LEASE_SECONDS": "40", "REPLY_TIMEOUT": "44", "FIRST_TEXT_TIMEOUT": "9", "SILENCE_TIMEOUT": "9"},
            "SWEEP_SECONDS",
        ),
        ({"SWEEP_SECONDS": "20", "LEASE_SECONDS": "15"}, "LEASE_SECONDS"),
        ({"LEASE_SECONDS": "9"}, "HOLDFAST_ENV"),
    ],
)
def test_numbers_that_do_not_fit_together_are_refused(
    values: dict[str, str], named: str, environment: dict[str, str]
) -> None:
    message = refusal(environment, **{f"HOLDFAST_{name}": value for name, value in values.items()})
    assert len(message.splitlines()) == 1
    assert all(name in message for name in (next(iter(values)), named))
    assert "lower" in message or "raise" in message


def test_a_test_run_may_have_short_leases(environment: dict[str, str]) -> None:
    assert (
        load(environment, HOLDFAST_ENV="test", HOLDFAST_LEASE_SECONDS="1", HOLDFAST_SWEEP_SECONDS="1").lease_seconds
        == 1
    )


def test_the_longest_lease_leaves_time_for_an_ending_before_others_end_the_reply() -> None:
    the_last_statement = 10
    assert LONGEST_LEASE + the_last_statement < min(HUNG_AFTER, MARGIN_MS) / 1000


@pytest.mark.parametrize(
    "url",
    [
        "localhost:6379",
        "redis.example",
        "http://localhost:6379",
        "redis://localhost:port",
        "redis://localhost:99999",
        "redis://localhost/first",
        "redis://me:secret[@localhost",
        "redis://me:sec#ret@localhost",
        "redis://me:secret@localhost?db=first",
        "redis://me:secret@localhost?socket_timeout=60",
        "redis://me:secret@localhost/0?socket_connect_timeout=60",
        "unix://",
    ],
)
def test_an_address_that_is_no_redis_is_refused(url: str, environment: dict[str, str]) -> None:
    message = refusal(environment, REDIS_URL=url)
    assert message.startswith("REDIS_URL ")
    assert len(message.splitlines()) == 1
    assert "secret" not in message


@pytest.mark.parametrize(
    "url",
    [
        "redis://localhost",
        "redis://:secret@localhost:6379/3",
        "redis://me:s%40crets@[::1]:6379/",
        "rediss://localhost:6379/0?ssl_ca_certs=ca.pem",
        "unix:///run/redis.sock",
        "unix:///run/redis.sock?db=3",
    ],
)
def test_an_address_of_a_redis_is_taken(url: str, environment: dict[str, str]) -> None:
    assert load(environment, REDIS_URL=url).redis_url == url
    assert connect(url, 1.0)


@pytest.mark.parametrize(
    "url",
    [
        "sqlite",
        "sqlite://",
        "sqlite:///",
        "sqlite:holdfast.db",
        "postgresql",
        "postgresql:/x",
        "postgresql://me:secret@localhost:port/x",
        "postgresql://me:sec@ret@localhost/x",
    ],
)
def test_an_address_that_can_not_be_read_is_refused(url: str, environment: dict[str, str]) -> None:
    message = refusal(environment, DATABASE_URL=url)
    assert message.startswith("DATABASE_URL can't be read: ")
    assert "sec" not in message.removeprefix("DATABASE_URL").replace("second", "")


@pytest.mark.parametrize("url", ["mysql://localhost/x", "holdfast.db", "postgres://localhost/x"])
def test_another_kind_of_database_is_refused(url: str, environment: dict[str, str]) -> None:
    assert "DATABASE_URL starts with" in refusal(environment, DATABASE_URL=url)


@pytest.mark.parametrize(
    "url",
    [
        "sqlite:////tmp/x.db",
        "postgresql://localhost/x",
        "postgresql+psycopg://me:s%40/cret@localhost:5432/x",
        "postgresql://me@[::1]:5432/x?sslmode=require",
        "postgresql:///x?host=/run/postgresql",
        "postgresql://me@/x?host=/run/postgresql",
    ],
)
def test_both_kinds_of_database_are_taken(url: str, environment: dict[str, str]) -> None:
    assert load(environment, DATABASE_URL=url).database_url
    assert make_url(url)


@pytest.mark.parametrize("secret", ["", "short", "x" * 31])
def test_production_needs_a_long_secret(secret: str, environment: dict[str, str]) -> None:
    message = refusal(environment, HOLDFAST_ENV="production", SECRET_KEY=secret)
    assert message == "SECRET_KEY must have at least 32 characters in production."
    assert secret == "" or secret not in message


def test_production_takes_one(environment: dict[str, str]) -> None:
    assert load(environment, HOLDFAST_ENV="production", SECRET_KEY="x" * 32).env == "production"


def test_programs_need_redis_and_a_secret(environment: dict[str, str]) -> None:
    for missing, values in [("REDIS_URL", {"SECRET_KEY": "x"}), ("SECRET_KEY", {"REDIS_URL": "redis://x"})]:
        environment.clear()
        with pytest.raises(SettingsError, match=f"{missing} is not set"):
            load(environment, **values).require_services()
    load(environment, SECRET_KEY="x", REDIS_URL="redis://x").require_services()


def test_the_pages_of_both_ports_may_open_sockets(environment: dict[str, str]) -> None:
    settings = load(environment, PORT="81", REALTIME_PORT="82")
    assert "http://127.0.0.1:81" in settings.allowed_origins
    assert "*" not in str(settings.allowed_origins)
    assert load(environment, HOLDFAST_ALLOWED_ORIGINS="https://a.example").allowed_origins == ["https://a.example"]


def test_environments_do_not_share_keys(environment: dict[str, str]) -> None:
    names = {load(environment, HOLDFAST_ENV=env).namespace for env in ("development", "test")}
    assert names == {"holdfast:development", "holdfast:test"}


def test_a_file_in_the_folder_is_read_but_the_environment_wins(environment: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PORT=81\nREALTIME_PORT=82\n")
    settings = load(environment, PORT="91")
    assert (settings.port, settings.realtime_port) == (91, 82)


def test_a_misspelt_name_in_the_file_is_refused_too(environment: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("HOLDFAST_LEASE_SECOND=1\n")
    assert "did you mean HOLDFAST_LEASE_SECONDS?" in refusal(environment)


def test_a_test_run_reads_no_file(environment: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PORT=81\n")
    assert load(environment, HOLDFAST_ENV="test").port == 8000
