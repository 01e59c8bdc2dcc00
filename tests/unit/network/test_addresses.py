"""The part of an address that limits count, the form of a URL, and the sockets that listen."""

import socket
from contextlib import closing

import pytest

from shared.network.addresses import in_url, local, network_of
from shared.network.listening import listen
from shared.settings import SettingsError
from tests.eventually import patience
from tests.services.programs import free_port


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8::1", "2001:db8::/64"),
        ("2001:db8:0:0:ffff:ffff:ffff:ffff", "2001:db8::/64"),
        ("2001:db8:0:1::1", "2001:db8:0:1::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        ("unix", "unix"),
    ],
)
def test_an_ipv6_network_of_a_customer_is_one_address(address: str, counted: str) -> None:
    assert network_of(address) == counted


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("0.0.0.0", "127.0.0.1"),
        ("::", "[::1]"),
        ("0:0::0", "[::1]"),
        ("::1", "[::1]"),
        ("2001:DB8::1", "[2001:db8::1]"),
        ("localhost", "localhost"),
    ],
)
def test_a_url_names_the_address_that_this_machine_can_reach(host: str, url: str) -> None:
    assert in_url(local(host)) == url


@pytest.mark.parametrize(
    ("host", "reached"),
    [("127.0.0.1", "127.0.0.1"), ("::1", "::1"), ("::", "::1"), ("::", "127.0.0.1"), ("localhost", "127.0.0.1")],
)
def test_a_program_listens_on_ipv4_and_ipv6(host: str, reached: str) -> None:
    with closing(listen(host, port := free_port(), "PORT")):
        socket.create_connection((reached, port), patience(5)).close()


def test_a_taken_port_is_a_sentence() -> None:
    with closing(listen("::", port := free_port(), "PORT")), pytest.raises(SettingsError, match=r"with PORT=\d+\.$"):
        listen("::", port, "PORT")


@pytest.mark.parametrize("host", ["192.0.2.1", "2001:db8::1"])
def test_a_host_that_is_no_address_of_this_machine_is_a_sentence(host: str) -> None:
    with pytest.raises(SettingsError, match="set HOLDFAST_HOST to an address of this machine"):
        listen(host, free_port(), "PORT")
