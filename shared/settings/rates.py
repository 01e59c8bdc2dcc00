"""Reads a rate such as `60/minute` from a setting."""

import re
from typing import NamedTuple, Self

from environs import ValidationError

_SHAPE = re.compile(r"([1-9]\d{0,6})(?:/(second|minute|hour|day))?")
_SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400}


class Rate(NamedTuple):
    """So many times in so many seconds."""

    times: int
    seconds: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """`60/minute` or `60`, which means the same. Raises ValidationError."""
        shape = _SHAPE.fullmatch(text)
        if not shape:
            raise ValidationError(
                f"{text!r} is no rate such as 60/minute: use 1 to 9999999 a second, minute, hour or day."
            )
        return cls(int(shape[1]), _SECONDS[shape[2] or "minute"])
