"""The address that a client is known by, behind trusted proxies or none."""

from dataclasses import replace

import pytest

from api.access.address import known_address
from api.web import _caller
from shared.settings import load_settings

PEER = "198.51.100.9"


@pytest.mark.parametrize(
    ("trusted", "forwarded", "known"),
    [
        (0, "192.0.2.1", PEER),
        (1, "", PEER),
        (1, "192.0.2.1", "192.0.2.1"),
        (1, "203.0.113.1, 192.0.2.1:5678", "192.0.2.1"),
        (2, "203.0.113.1, 192.0.2.1, 10.0.0.1", "192.0.2.1"),
        (3, "192.0.2.1, 10.0.0.1", PEER),
        (1, "[2001:db8::1]:99", "2001:db8::/64"),
        (1, "[2001:db8::1]", "2001:db8::/64"),
        (1, "2001:db8::1", "2001:db8::/64"),
        (1, "fe80::1%eth0", "fe80::/64"),
        (1, "[::ffff:192.0.2.1]:9", "192.0.2.1"),
        (1, '"203.0.113.1, 192.0.2.1', "192.0.2.1"),
        (1, "192.0.2.1, unknown", PEER),
        (1, "192.0.2.1,", PEER),
        (1, "192.0.2.1:http", PEER),
        (1, "999.0.2.1:9", PEER),
    ],
)
def test_only_what_a_trusted_proxy_wrote_counts(trusted: int, forwarded: str, known: str) -> None:
    assert known_address(forwarded, PEER, trusted) == known


def test_a_network_of_ipv6_has_one_turn_among_the_callers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOLDFAST_ENV", "test")
    settings = replace(load_settings(), secret_key="x" * 32)
    callers = {_caller(settings, {"REMOTE_ADDR": f"2001:db8::{n}"}) for n in range(1, 9)}
    assert callers == {"2001:db8::/64"}
