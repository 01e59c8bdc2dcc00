"""Procfile, compose.yaml and Dockerfile name the same four programs."""

import shlex
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml

from shared.command.up import EXIT_SECONDS, read_procfile

ROOT = Path(__file__).parents[2]
PROCFILE = read_procfile(ROOT / "Procfile")


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    services = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
    assert isinstance(services, dict)
    return services


def test_the_procfile_names_the_four_programs() -> None:
    assert list(PROCFILE) == ["web", "realtime", "worker", "sweeper"]


@pytest.mark.parametrize("command", [command for command in PROCFILE.values() if " -m " in command])
def test_a_program_of_the_procfile_is_a_module_that_exists(command: str) -> None:
    assert find_spec(shlex.split(command)[2])


@pytest.mark.parametrize("program", PROCFILE)
def test_compose_runs_the_procfiles_command(services: dict[str, Any], program: str) -> None:
    assert shlex.split(services[program]["command"]) == shlex.split(PROCFILE[program])


def test_compose_runs_the_programs_a_migration_and_two_services_and_nothing_else(services: dict[str, Any]) -> None:
    assert services.keys() == {*PROCFILE, "migrate", "postgres", "redis"}
    assert services["migrate"]["command"] == "holdfast migrate"


@pytest.mark.parametrize("program", PROCFILE)
def test_compose_starts_a_program_after_what_it_needs(services: dict[str, Any], program: str) -> None:
    needs = services[program]["depends_on"]
    assert {name: need["condition"] for name, need in needs.items()} == {
        "postgres": "service_healthy",
        "redis": "service_healthy",
        "migrate": "service_completed_successfully",
    }


@pytest.mark.parametrize("name", ["web", "realtime", "postgres", "redis"])
def test_what_others_wait_for_has_a_health_check(services: dict[str, Any], name: str) -> None:
    assert services[name]["healthcheck"]["test"]


def test_composes_redis_appends_to_a_file_and_never_evicts(services: dict[str, Any]) -> None:
    command = services["redis"]["command"]
    assert "--appendonly yes" in command
    assert "--maxmemory-policy noeviction" in command


def test_compose_is_for_production_and_has_no_secret_of_its_own(services: dict[str, Any]) -> None:
    environment = services["web"]["environment"]
    assert environment["HOLDFAST_ENV"] == "production"
    assert environment["SECRET_KEY"].startswith("${SECRET_KEY:?")
    assert services["postgres"]["environment"]["POSTGRES_PASSWORD"].startswith("${POSTGRES_PASSWORD:?")


@pytest.mark.parametrize("name", PROCFILE)
def test_compose_waits_for_what_a_program_drains(services: dict[str, Any], name: str) -> None:
    patience = float(services[name]["stop_grace_period"].removesuffix("s"))
    assert patience >= float(services[name]["environment"]["HOLDFAST_DRAIN_SECONDS"]) + EXIT_SECONDS


def test_the_image_runs_the_web_program_without_being_root() -> None:
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    assert "USER holdfast" in lines
    assert lines[-1].startswith("CMD ")
    assert yaml.safe_load(lines[-1].removeprefix("CMD ")) == shlex.split(PROCFILE["web"])


def test_the_image_gets_what_it_copies() -> None:
    lines = [line.split() for line in (ROOT / "Dockerfile").read_text().splitlines()]
    copied = {source for line in lines if line[:1] == ["COPY"] and "--from" not in line[1] for source in line[1:-1]}
    sent = (ROOT / ".dockerignore").read_text().splitlines()
    assert copied == {line.removeprefix("!") for line in sent if line.startswith("!")}
