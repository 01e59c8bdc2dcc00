"""Dates replies back, so that a sweep finds them late."""

from typing import Any

from sqlalchemy import update

from shared.database.units import execute, write_unit
from shared.models.message import messages


def age_all(**columns: Any) -> None:
    with write_unit():
        execute(update(messages).values(**columns))
