"""Which sites' pages may open a socket."""

from dataclasses import fields

import pytest

from api.access.origins import may_open
from shared.settings import Settings


def settings(**values: object) -> Settings:
    return Settings(**{field.name: field.metadata["default"] for field in fields(Settings)} | values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("http://127.0.0.1:8000", "127.0.0.1:8001"),
        ("http://LOCALHOST:8000", "localhost:8001"),
        ("http://192.168.1.5:8000", "192.168.1.5:8001"),
        ("http://[::1]:8000", "[::1]:8001"),
        ("https://chat.example", "chat.example"),
        ("http://127.0.0.1:8001", "127.0.0.1:8001"),
        ("HTTP://app.example:5173", "127.0.0.1:8001"),
    ],
)
def test_the_own_page_may_under_each_name_of_the_host_and_a_listed_one_may(origin: str, host: str) -> None:
    assert may_open(settings(allowed_origins=["http://app.example:5173"]))(origin, {"HTTP_HOST": host})


@pytest.mark.parametrize(("origin", "port"), [("http://192.168.1.5", 80), ("https://192.168.1.5", 443)])
def test_a_browser_leaves_out_the_usual_port(origin: str, port: int) -> None:
    host = {"HTTP_HOST": "192.168.1.5:8001"}
    assert may_open(settings(port=port))(origin, host)
    assert not may_open(settings(port=port + 1))(origin, host)
    assert not may_open(settings(port=523 - port))(origin, host)  # the usual one of the other scheme


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("http://127.0.0.1:9999", "127.0.0.1:8001"),
        ("http://evil.example:8000", "127.0.0.1:8001"),
        ("http://app.example:5173.evil.example", "127.0.0.1:8001"),
        ("http://app.example", "127.0.0.1:8001"),
        ("null", "127.0.0.1:8001"),
        ("null", ""),
        ("", ""),
        ("http://x:y", "x:8001"),
        ("http://[::1", "[::1"),
        ("http://127.0.0.1:8000", ""),
    ],
)
def test_no_other_page_may(origin: str, host: str) -> None:
    assert not may_open(settings(allowed_origins=["http://app.example:5173"]))(origin, {"HTTP_HOST": host})
