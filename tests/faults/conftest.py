"""The fixture `trial` gives each fault test a deployment on each kind of database, made whole before the test."""

from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack
from typing import Any

import pytest

from tests.faults.lab.deployment import Deployment
from tests.faults.lab.gathering import open_replies
from tests.faults.lab.trial import Trial, a_trial
from tests.services.guard import Guard
from tests.services.postgres import PostgresDatabases
from tests.services.sqlite import SqliteDatabases

KINDS = ("sqlite", "postgresql")


class Deployments:
    """One deployment of each kind for the whole run. The first test that wants one starts it."""

    def __init__(self, guard: Guard, databases: dict[str, SqliteDatabases | PostgresDatabases]) -> None:
        self._guard, self._databases = guard, databases
        self._running: dict[str, tuple[Deployment, ExitStack]] = {}

    def get(self, kind: str) -> Deployment:
        if kind not in self._running:
            stack = ExitStack()
            self._running[kind] = (stack.enter_context(Deployment(self._guard, kind, self._databases[kind])), stack)
        return self._running[kind][0]

    def discard(self, kind: str) -> None:
        """End this deployment, so that the remains of a failed test do not trouble the next test."""
        if kind in self._running:
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


#: For a test of something that the other database does not have.
on_sqlite = pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
on_postgresql = pytest.mark.parametrize("kind", ["postgresql"], indirect=True)


def mostly_on(kind: str) -> pytest.MarkDecorator:
    """Run the test on this database in `make test`, and on the other one in `make faults`.

    A test that takes longer than five seconds needs this.
    """
    return pytest.mark.parametrize("kind", [kind, *(_later(other) for other in KINDS if other != kind)], indirect=True)


def by_turns(name: str, ways: Sequence[Any]) -> pytest.MarkDecorator:
    """Let the databases take turns: `make test` runs the first way on SQLite, the second on PostgreSQL, and so on.

    `make faults` runs each way on the other database.
    """
    pairs = [(number, kind, way) for number, way in enumerate(ways) for kind in KINDS]
    params = [(kind, way) if kind == KINDS[number % 2] else _later(kind, way) for number, kind, way in pairs]
    return pytest.mark.parametrize(("kind", name), params, indirect=["kind"])


def _later(*values: Any) -> Any:
    return pytest.param(*values, marks=[pytest.mark.long, pytest.mark.timeout(0)])


def given(program: str, **start: str) -> pytest.MarkDecorator:
    """Start the program with these names in its environment, or start `instead`, before the test begins.

    The program starts once. A `trial.restart()` in the test would start it again. "{point}" is the test's parameter,
    and "{hold}" is the file of `trial.held()`.
    """
    return pytest.mark.given(program, start)


@pytest.fixture
def trial(request: pytest.FixtureRequest, kind: str, deployments: Deployments) -> Iterator[Trial]:
    """A deployment of real programs with the times of tests/environment.py. The next test finds it mended."""
    deployment = deployments.get(kind)
    values = {**request.node.callspec.params, "hold": deployment.hold_file}
    marks = [mark.args for mark in request.node.iter_markers("given")]
    deployment.make_whole(
        {program: {name: text.format(**values) for name, text in start.items()} for program, start in marks}
    )
    with a_trial(deployment) as trial:
        yield trial
        left = not deployment.redis.alive or open_replies(deployment.engine, trial.people)
    if left:
        deployments.discard(kind)


@pytest.fixture
def anew(kind: str, deployments: Deployments) -> Iterator[None]:
    """Give the test a deployment that no other test has seen or will see."""
    deployments.discard(kind)
    yield
    deployments.discard(kind)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: Any) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show the output of the programs with each failure."""
    report = yield
    if report.failed and (trial := item.funcargs.get("trial")):
        report.sections.append(("programs", trial.programs.logs[-20_000:]))
    return report
