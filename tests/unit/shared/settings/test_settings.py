"""Reading the environment: types, defaults, a `.env` file, and the needs of production."""

from pathlib import Path

import pytest

from shared.settings import SettingsError
from shared.settings.rates import Rate
from tests.unit.shared.settings.loading import load, refusal


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
    assert load(environment, HOLDFAST_MODELS=" a, ,b ,").models == ["scripted", "a", "b"]
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


def test_names_of_other_programs_are_left_alone(environment: dict[str, str]) -> None:
    load(environment, REDIS_URI="x", HOLDFASTER="x")


def test_a_test_run_may_have_short_leases(environment: dict[str, str]) -> None:
    assert (
        load(environment, HOLDFAST_ENV="test", HOLDFAST_LEASE_SECONDS="1", HOLDFAST_SWEEP_SECONDS="1").lease_seconds
        == 1
    )


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


def test_a_rate_without_a_unit_is_by_the_minute() -> None:
    assert Rate.parse("60") == Rate.parse("60/minute") == Rate(60, 60)
    assert Rate.parse("20/hour") == Rate(20, 3600)
