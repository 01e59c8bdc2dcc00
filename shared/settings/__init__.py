"""The settings of all programs. `fields.py` holds them, and `environment.py` alone reads the environment."""

from shared.settings.environment import load_settings
from shared.settings.fields import LONGEST_REPLY, SLOWEST_SWEEP, Settings, SettingsError

__all__ = ["LONGEST_REPLY", "SLOWEST_SWEEP", "Settings", "SettingsError", "load_settings"]
