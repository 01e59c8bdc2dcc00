"""Opens the port of a program, on IPv4 or IPv6, and tells which of its clients have gone before their turn."""

import errno
import socket

from shared.settings import SettingsError


def listen(host: str, port: int, setting: str, *, backlog: int | None = None, reuse: bool = False) -> socket.socket:
    """The listening socket. With `::`, IPv4 clients reach it too. `setting` is the name of the port's setting.

    Raises SettingsError with a sentence that says what to change. With `reuse`, several processes may have the port.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, _, _, _, address = min(found, key=lambda one: one[0] != socket.AF_INET)  # a name may have both
        both = address[0] == "::" and socket.has_dualstack_ipv6()
        return socket.create_server(
            address,
            family=family,
            backlog=backlog,
            reuse_port=reuse,
            dualstack_ipv6=both,
        )
    except OSError as error:
        raise SettingsError(_sentence(host, port, setting, error)) from error


def has_gone(connection: socket.socket) -> bool:
    """Whether the client has reset this connection, or it never was a whole one."""
    try:
        connection.getpeername()
    except OSError:
        return True
    return False


def _sentence(host: str, port: int, setting: str, error: OSError) -> str:
    if error.errno in (errno.EADDRINUSE, errno.EACCES):
        other = port + 10 if 1024 <= port <= 65_000 else 8_010
        advice = f"stop the program that has it, or choose another port with {setting}={other}."
    else:
        advice = "set HOLDFAST_HOST to an address of this machine, such as 127.0.0.1, ::1, 0.0.0.0 or ::."
    reason = str(error.strerror).partition(" (")[0]  # Python adds the address, in its own words
    return f"Port {port} on {host} can't be used ({reason}): {advice}"
