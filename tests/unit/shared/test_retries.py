"""A unit is repeated a little later, after a random pause, and only if the database certainly undid it."""

from types import SimpleNamespace

import pytest
from sqlalchemy.exc import DBAPIError, OperationalError

from shared.database import retries
from shared.database.retries import is_away, retried, was_undone


class _Trouble(Exception):
    """Stands in for a driver's exception."""

    def __init__(self, sqlstate: str | None) -> None:
        self.sqlstate = sqlstate


def trouble(sqlstate: str | None, statement: str | None = "UPDATE", broke: bool = False) -> DBAPIError:
    return OperationalError(statement, {}, _Trouble(sqlstate), connection_invalidated=broke)


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses of this module alone: other threads of the process sleep too."""
    waited: list[float] = []
    monkeypatch.setattr(retries, "time", SimpleNamespace(sleep=waited.append))
    return waited


def test_the_pauses_differ_and_stay_short(pauses: list[float]) -> None:
    @retried
    def deadlocked() -> None:
        raise trouble("40P01")

    for _ in range(10):
        with pytest.raises(OperationalError):
            deadlocked()
    first, second = pauses[::2], pauses[1::2]
    assert len(pauses) == 20  # three tries make two pauses, ten times
    assert len(set(first)) > 5
    assert 0.02 <= min(first) <= max(first) <= 0.1
    assert 0.06 <= min(second) <= max(second) <= 0.3


@pytest.mark.parametrize(
    ("error", "undone"),
    [
        (trouble("40001"), True),
        (trouble("40P01", statement=None), True),  # COMMIT itself may fail with this
        (trouble(None, broke=True), True),
        (trouble("57P01"), True),
        (trouble(None, statement=None, broke=True), False),  # a COMMIT without an answer
        (trouble("57P01", statement=None), False),
        (trouble("55P03"), True),  # another transaction held a lock for too long
        (trouble("57014"), False),
        (trouble(None), False),
    ],
)
def test_only_what_is_certainly_undone_is_repeated(error: DBAPIError, undone: bool) -> None:
    assert was_undone(error) is undone


@pytest.mark.parametrize(("sqlstate", "away"), [("55P03", False), ("57014", False), ("54000", False), ("57P01", True)])
def test_trouble_with_one_row_does_not_mean_that_the_database_is_away(sqlstate: str, away: bool) -> None:
    assert is_away(trouble(sqlstate)) is away
