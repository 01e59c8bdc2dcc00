"""Rows have types: mypy finds a column that a statement does not return."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
TYPOS = """
from sqlalchemy import bindparam, select

from shared.database.prepared import Id, Prepared
from shared.database.units import execute, query
from shared.models.chat import find_chat
from shared.models.message import MESSAGE, MessageRow, messages

_some = Prepared(select(*MESSAGE).where(messages.c.id == bindparam("message_id")), MessageRow)


def right() -> list[object]:
    reply = query(_some, {"message_id": "m"})[0]
    return [reply.reply_to, find_chat("u", "c").parked_at, execute(select(messages.c.id), row=Id)[0].id]


def wrong() -> list[object]:
    reply = query(_some, {"message_id": "m"})[0]
    return [reply.reply_too, find_chat("u", "c").parked, execute(select(messages.c.id), row=Id)[0].name]


def untyped() -> object:
    return query(select(messages.c.id))[0].id
"""


def test_each_misspelt_column_is_an_error(tmp_path: Path) -> None:
    file = tmp_path / "typos.py"
    file.write_text(TYPOS)
    mypy = [sys.executable, "-m", "mypy", "--no-incremental", "--follow-imports=silent", str(file)]
    checked = subprocess.run(mypy, cwd=ROOT, capture_output=True, text=True, check=False)
    errors = re.findall(r'error: "(.+)" has no attribute "(\w+)"', checked.stdout)
    assert errors == [("MessageRow", "reply_too"), ("ChatRow", "parked"), ("Id", "name"), ("tuple[Any, ...]", "id")]
    assert "Found 4 errors" in checked.stdout
