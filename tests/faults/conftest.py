"""Fault tests: `trial` is a deployment on each kind of database, made whole before each test."""

from collections.abc import Generator, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.faults.deployment import Deployment
from tests.faults.evidence import open_replies
from tests.faults.trial import Trial, a_trial
from tests.services.guard import Guard
from tests.services.postgres import PostgresDatabases
from tests.services.sqlite import SqliteDatabases

KINDS = ("sqlite", "postgresql")


class Deployments:
    """One of each kind for the whole run, started when a test first wants it."""

    def __init__(self, guard: Guard, databases: dict[str, SqliteDatabases | PostgresDatabases]) -> None:
        self._guard, self._databases = guard, databases
        self._running: dict[str, tuple[Deployment, ExitStack]] = {}

    def get(self, kind: str) -> Deployment:
        if kind not in self._running:
            stack = ExitStack()
            self._running[kind] = (stack.enter_context(Deployment(self._guard, kind, self._databases[kind])), stack)
        return self._running[kind][0]

    def discard(self, kind: str) -> None:
        """What a failed test leaves behind must not trouble the next one."""
        self._running.pop(kind)[1].close()

    def close(self) -> None:
        for kind in list(self._running):
            self.discard(kind)


@pytest.fixture(scope="session")
def deployments(
    guard: Guard, sqlite_databases: SqliteDatabases, postgresql_databases: PostgresDatabases
) -> Iterator[Deployments]:
    deployments = Deployments(guard, {"sqlite": sqlite_databases, "postgresql": postgresql_databases})
    yield deployments
    deployments.close()


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


#: For what no row decides: once is enough.
on_sqlite = pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
on_postgresql = pytest.mark.parametrize("kind", ["postgresql"], indirect=True)


@pytest.fixture
def trial(kind: str, deployments: Deployments) -> Iterator[Trial]:
    """Its programs are real, its times short (tests/environment.py): whatever a test breaks is mended after it."""
    deployment = deployments.get(kind)
    deployment.make_whole()
    with a_trial(deployment) as trial:
        yield trial
        left = not deployment.redis.alive or open_replies(deployment.engine, trial.people)
    if left:
        deployments.discard(kind)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: Any) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A failure shows what the programs have printed."""
    report = yield
    if report.failed and (trial := item.funcargs.get("trial")):
        report.sections.append(("programs", trial.programs.logs[-20_000:]))
    return report
