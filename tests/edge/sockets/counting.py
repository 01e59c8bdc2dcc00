"""Runs `realtime`. Each second, it logs how many transports its memory has, and how many objects nobody collects."""

import gc
import logging
import sys
from typing import Any

from engineio.socket import Socket

from api import realtime

_look = realtime.look_around


def _count(*parts: Any) -> None:
    _look(*parts)
    gc.collect()  # a circle of objects stays until then
    transports = sum(type(thing) is Socket for thing in gc.get_objects())
    logging.getLogger("realtime").warning("realtime.kept: %d transports, %d frozen", transports, gc.get_freeze_count())


realtime.look_around = _count

if __name__ == "__main__":
    sys.exit(realtime.main())
