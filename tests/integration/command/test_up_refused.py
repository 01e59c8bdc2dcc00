"""`holdfast up` cannot start, and says in one sentence what the user has to change."""

import re
import socket
from pathlib import Path

import pytest

from tests.integration.command.conftest import Up
from tests.services.programs import free_port


def test_a_second_run_in_the_same_folder_is_refused_with_the_first_ones_process(up: Up) -> None:
    first = up()
    second = up(ready=False, PORT=str(free_port()), REALTIME_PORT=str(free_port()))
    assert "already runs with the data folder" in second.log
    assert f"(process {first.pid}): stop that one first" in second.log
    assert first.alive


@pytest.mark.parametrize("name", ["PORT", "REALTIME_PORT"])
def test_a_taken_port_is_named_with_the_setting_that_changes_it(up: Up, ports: dict[str, str], name: str) -> None:
    with socket.create_server(("127.0.0.1", int(ports[name]))):
        log = up(ready=False).log
    assert re.fullmatch(rf"Error: Port {ports[name]} on 127.0.0.1 can't be used .* with {name}=\d+\.\n", log)


def test_one_port_for_both_is_refused(up: Up, ports: dict[str, str]) -> None:
    assert "are both" in up(ready=False, REALTIME_PORT=ports["PORT"]).log


def test_a_misspelt_setting_is_refused_with_the_right_name(up: Up) -> None:
    assert "did you mean HOLDFAST_DATA_DIR?" in up(ready=False, HOLDFAST_DATADIR="x").log


def test_a_folder_without_a_procfile_is_refused(up: Up, folder: Path) -> None:
    (folder / "Procfile").unlink()
    assert "There is no Procfile here" in up(ready=False).log


def test_a_data_folder_that_cannot_be_made_is_named(up: Up, folder: Path) -> None:
    (folder / "file").touch()
    assert f"The data folder {folder}/file/var can't be used" in up(ready=False, HOLDFAST_DATA_DIR="file/var").log


def test_a_database_that_does_not_answer_is_a_sentence(up: Up) -> None:
    log = up(ready=False, DATABASE_URL="postgresql://nobody@127.0.0.1:1/none").log
    assert "Error: The database can't be used: connection failed" in log
    assert "Traceback" not in log
