"""Every program begins with boot(). It reads the settings, and ends a program that lacks a setting it needs.

A program that then serves for long calls spare_the_collector().
"""

import gc
import sys

from shared.logs import configure_logs
from shared.redis.link import refuse_eviction
from shared.settings import Settings, SettingsError, load_settings


def boot(program: str) -> Settings:
    """The settings of this program, with its logs configured.

    Raises SystemExit if a setting is wrong or missing. It also raises SystemExit if the Redis of production may evict
    jobs (D-55). A line on standard error names the cause.
    """
    try:
        settings = load_settings()
        configure_logs(settings.log_level)
        settings.require_services()
        refuse_eviction(settings)
    except SettingsError as error:
        print(f"{program}: {error}", file=sys.stderr)
        raise SystemExit(1) from None
    return settings


def spare_the_collector() -> None:
    """Exempt all present objects from garbage collection. A program calls this once it has imported everything (D-81).

    Otherwise the garbage collector visits every class and function of every library, time after time. All threads stand
    still meanwhile.
    """
    gc.collect()
    gc.freeze()
