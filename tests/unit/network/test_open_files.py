"""Room for connections in the limit of open files."""

import resource

import pytest

from shared.network.open_files import room_for
from shared.settings import SettingsError
from tests.unit.network.files import Files, files

__all__ = ["files"]


def test_a_limit_that_is_high_enough_stays(files: Files) -> None:
    assert room_for(900, 100, "MANY") == 900
    assert files.own == 1_024


@pytest.mark.parametrize("most", [4_096, resource.RLIM_INFINITY])
def test_a_limit_that_is_too_low_is_raised_as_far_as_it_must(files: Files, most: int) -> None:
    files.most = most
    assert room_for(3_000, 100, "MANY") == 3_000
    assert files.own == 3_100


def test_without_a_limit_there_is_room(files: Files) -> None:
    files.own = files.most = resource.RLIM_INFINITY
    assert room_for(1_000_000, 100, "MANY") == 1_000_000


def test_fewer_connections_fit_where_the_limit_cannot_be_raised_enough(
    files: Files, caplog: pytest.LogCaptureFixture
) -> None:
    assert room_for(20_000, 100, "MANY") == 3_996
    assert "4096" in caplog.text
    assert "MANY (20000), set `ulimit -n 20100`" in caplog.text


def test_a_second_limit_of_the_system_is_found(files: Files) -> None:
    files.own, files.most, files.secret = 256, resource.RLIM_INFINITY, 10_240
    assert 5_000 <= room_for(20_000, 100, "MANY") <= 10_140


def test_without_room_for_a_few_the_program_does_not_start(files: Files) -> None:
    files.own = files.most = 64
    with pytest.raises(
        SettingsError, match=r"\(64\) is too low: raise it to 4100 with `ulimit -n 4100`.* at least 110"
    ):
        room_for(4_000, 100, "MANY")


@pytest.mark.parametrize(("wanted", "level"), [(7_000, "INFO"), (9_000, "WARNING")])
def test_only_with_less_than_half_of_the_room_it_warns(
    files: Files, caplog: pytest.LogCaptureFixture, wanted: int, level: str
) -> None:
    caplog.set_level("INFO")
    room_for(wanted, 100, "MANY")
    assert [record.levelname for record in caplog.records] == [level]
