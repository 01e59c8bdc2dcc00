"""An error of the database may be logged with its stack. It names the statement and no text of a user."""

import traceback
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import update
from sqlalchemy.exc import IntegrityError

from shared.database.units import execute, write_unit
from shared.models.message import messages
from tests.factories import a_post


def test_an_error_of_the_database_quotes_no_text(core: Flask) -> None:
    needle = f"needle{uuid4().hex}"
    posted = a_post(content=needle)
    change = update(messages).where(messages.c.id == posted.message.id).values(status="unknown", content=needle)
    with pytest.raises(IntegrityError) as caught, write_unit():
        execute(change)
    logged = "".join(traceback.format_exception(caught.value))
    assert "known_status" in logged
    assert needle not in logged
