"""The whole product, once per kind of database: the Procfile's programs, sockets and a browser."""

from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.e2e.other_site import OtherSite, other_site
from tests.e2e.person import Person
from tests.environment import environment
from tests.fake_model import FakeModel
from tests.services.guard import Guard
from tests.services.programs import Programs
from tests.services.redis import RedisServer
from tests.services.sockets import SocketClient

#: The page does not see which database is behind it. `make test` takes one, and `make faults` the other (D-141).
on_one_database = pytest.mark.parametrize(
    "programs",
    ["sqlite", pytest.param("postgresql", marks=[pytest.mark.long, pytest.mark.timeout(0)])],
    indirect=True,
)


@pytest.fixture(scope="session")
def model_of_all_programs() -> Iterator[FakeModel]:
    with FakeModel() as model:
        yield model


@pytest.fixture
def fake_model(model_of_all_programs: FakeModel) -> FakeModel:
    """The model that the programs ask. A question scripts its answer, as in "Hello fake:chunks=3,gate=door"."""
    model_of_all_programs.forget()
    return model_of_all_programs


@pytest.fixture(scope="session")
def listed_site() -> Iterator[OtherSite]:
    """A site whose pages may use the API."""
    with other_site() as site:
        yield site


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def programs(
    request: pytest.FixtureRequest, guard: Guard, model_of_all_programs: FakeModel, listed_site: OtherSite
) -> Iterator[Programs]:
    """The four programs on a database and a Redis of their own."""
    kind = request.param
    databases = request.getfixturevalue(f"{kind}_databases")
    with databases.fresh() as database_url, RedisServer(guard, f"{kind}-redis") as redis:
        settings = environment(database_url, redis.url, guard.folder / f"{kind}-data", model_of_all_programs.base_url)
        # A person takes as long as the machine needs for their clicks, while a gate keeps the model silent. On a busy
        # machine that is minutes. No test here waits for one of these times.
        changed = {
            "HOLDFAST_FIRST_TEXT_TIMEOUT": "600",
            "HOLDFAST_SILENCE_TIMEOUT": "600",
            "HOLDFAST_REPLY_TIMEOUT": "1200",
            "HOLDFAST_ALLOWED_ORIGINS": listed_site.origin,
            "HOLDFAST_MODELS": "fake,another",
        }
        with Programs(guard, kind, settings | changed) as programs:
            yield programs


@pytest.fixture
def person(programs: Programs) -> Iterator[Person]:
    """Somebody who has just signed up."""
    with Person(programs.url) as person:
        yield person


@pytest.fixture
def socket_client(programs: Programs) -> Iterator[Callable[[str], SocketClient]]:
    """`socket_client(token)` connects; each is closed after the test."""
    with ExitStack() as stack:
        yield lambda token: stack.enter_context(SocketClient(programs.realtime_url, token))


@pytest.fixture
def page(browser: Browser, programs: Programs) -> Iterator[Page]:
    """A page in its own browser profile. An uncaught error in the page fails the test."""
    with browser.new_context(base_url=programs.url) as context:
        page, errors = context.new_page(), []
        page.on("pageerror", lambda error: errors.append(str(error)))
        yield page
        assert errors == []


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: Any) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A failure shows the programs' output."""
    report = yield
    if report.failed and (programs := item.funcargs.get("programs")):
        report.sections.append(("programs", programs.logs[-20_000:]))
    return report
