"""Two devices of one user."""

import pytest
from flask import Flask

from tests.integration.accounts.device import Device


@pytest.fixture
def phone(app: Flask, core: Flask) -> Device:
    return Device(app, "ada@example.org", "/auth/sign-up")


@pytest.fixture
def laptop(app: Flask, phone: Device) -> Device:
    return Device(app, phone.email)
