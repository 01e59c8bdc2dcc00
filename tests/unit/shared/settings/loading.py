"""Loads the settings from an environment, or tells why they are refused."""

import pytest

from shared.settings import Settings, SettingsError, load_settings


def load(environment: dict[str, str], **values: str) -> Settings:
    environment.update(values)
    return load_settings()


def refusal(environment: dict[str, str], **values: str) -> str:
    with pytest.raises(SettingsError) as refused:
        load(environment, **values)
    return str(refused.value)
