"""Fault tests: `trial` is a deployment on each kind of database, made whole before each test."""

from collections.abc import Generator, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.faults.deployment import Deployment
from tests.faults.evidence import open_replies
from tests.faults.trial import Trial, a_trial
from tests.services.guard import Guard

KINDS = ("sqlite", "postgresql")


class Deployments:
    """One of each kind for the whole run, started when a test first wants it."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._running: dict[str, tuple[Deployment, ExitStack]] = {}

    def get(self, kind: str, databases: Any) -> Deployment:
        if kind not in self._running:
            stack = ExitStack()
            self._running[kind] = (stack.enter_context(Deployment(self._guard, kind, databases)), stack)
        return self._running[kind][0]

    def discard(self, kind: str) -> None:
        """What a failed test leaves behind must not trouble the next one."""
        self._running.pop(kind)[1].close()

    def close(self) -> None:
        for kind in list(self._running):
            self.discard(kind)


@pytest.fixture(scope="session")
def deployments(guard: Guard) -> Iterator[Deployments]:
    deployments = Deployments(guard)
    yield deployments
    deployments.close()


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


#: For what no row decides: once is enough.
on_sqlite = pytest.mark.parametrize("kind", ["sqlite"], indirect=True)


@pytest.fixture
def trial(request: pytest.FixtureRequest, kind: str, deployments: Deployments) -> Iterator[Trial]:
    """Its programs are real, its times short (tests/environment.py): whatever a test breaks is mended after it."""
    deployment = deployments.get(kind, request.getfixturevalue(f"{kind}_databases"))
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
