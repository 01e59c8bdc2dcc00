"""Every program begins with boot(): it reads the settings, and refuses to start without what the program needs."""

import sys

from shared.logs import configure_logs
from shared.redis.link import refuse_eviction
from shared.settings import Settings, SettingsError, load_settings


def boot(program: str) -> Settings:
    """The settings of this program, with its logs configured.

    Raises SystemExit if a setting is wrong or missing, or if production's Redis may evict jobs. A line on standard
    error says which.
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
