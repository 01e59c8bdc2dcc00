"""The sites in the settings: a browser's way to write one, or one sentence that refuses it."""

import pytest

from tests.unit.shared.settings.loading import load, refusal


def test_a_public_url_is_the_address_of_the_sockets_and_an_origin(environment: dict[str, str]) -> None:
    settings = load(
        environment, HOLDFAST_PUBLIC_URL="https://a.example/", HOLDFAST_ALLOWED_ORIGINS="http://b.example:81"
    )
    assert settings.realtime_url == "https://a.example"
    assert settings.allowed_origins == ["http://b.example:81", "https://a.example"]
    assert load(environment, HOLDFAST_REALTIME_URL="https://live.example/").realtime_url == "https://live.example"


SITES = ["HOLDFAST_PUBLIC_URL", "HOLDFAST_REALTIME_URL", "HOLDFAST_ALLOWED_ORIGINS"]


@pytest.mark.parametrize("name", SITES)
@pytest.mark.parametrize(
    ("written", "browsers_write"),
    [
        ("HTTPS://Chat.Example", "https://chat.example"),
        ("https://chat.example:443/", "https://chat.example"),
        ("http://192.168.1.5:80", "http://192.168.1.5"),
        ("Http://[::1]:80", "http://[::1]"),
        ("https://chat.example:80", "https://chat.example:80"),
        ("  https://chat.example\t", "https://chat.example"),
        ("http://[0:0:0:0:0:0:0:1]:8000", "http://[::1]:8000"),
        ("http://my_pc.local:5173", "http://my_pc.local:5173"),
        ("http://a--b.xn--bcher-kva.example", "http://a--b.xn--bcher-kva.example"),
    ],
)
def test_capitals_blanks_and_usual_ports_make_no_other_site(
    name: str, written: str, browsers_write: str, environment: dict[str, str]
) -> None:
    settings = load(environment, **{name: written})
    field = {"HOLDFAST_REALTIME_URL": [settings.realtime_url]}.get(name, settings.allowed_origins)
    assert field == [browsers_write]
    assert settings.public_url in ("", browsers_write)


@pytest.mark.parametrize("name", SITES)
@pytest.mark.parametrize(
    "site",
    [
        "*",
        "https://*.a.example",
        "a.example",
        "https://a.example/chat",
        "https://a.example?x=1",
        "ws://a.example",
        "https://me@a.example",
        "/",
        "http://a.example:0",
        "http://a.example:x",
        "http://a.example:",
        "http://a.example:08000",
        "http://a.example:65536",
        "http://a.example:80:80",
        "http://:8000",
        "https://bücher.example",
        "http://[::1",
        "http://[]",
        "http://[::ffff:1.2.3.4]",
        "http://[fe80::1%eth0]",
        "http://127.1",
        "http://127.0.0.01",
        "http://a.0x7f",
        "http://a.example.",
        "http://a..example",
        "http://-a.example",
        "http://a b",
        "http://a.example;b",
        "http://a.example\\b",
        "http://a.example'",
        "http://%61.example",
        "http://a.example\n:81",
        "null",
    ],
)
def test_a_site_is_named_as_browsers_name_it(name: str, site: str, environment: dict[str, str]) -> None:
    message = refusal(environment, **{name: site})
    assert message.startswith(f"{name} has ")
    assert "name a site as http://HOST:PORT or https://HOST, without a path or a star" in message
    assert len(message.splitlines()) == 1
