"""Every program begins with boot(). It reads the settings, and ends a program that lacks a setting it needs."""

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
