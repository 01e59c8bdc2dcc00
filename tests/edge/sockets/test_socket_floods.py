"""No client can stop `realtime` for others: floods of one socket and of many, before the token and after it."""

import json
import re
import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing

import pytest
import websocket

from tests.edge.sockets.flooder import HELLO, KINDS, STORM, frame, frames_of
from tests.edge.sockets.witness import Witness, address, flooding
from tests.eventually import eventually, patience
from tests.realtime.socket_server import SocketServer, events_in
from tests.services.sockets import RawSocket

REASON = "too_much_sent"
# Seconds: the promised times for the others.
LAG, HEALTH = 0.25, 0.5
# Bytes by which the process may have grown once all floods are over.
MAY_KEEP = 24 * 2**20
HUNDRED = 100
# Bytes of one write.
_WRITE = 30_000


@pytest.fixture(scope="module")
def witness(server: SocketServer) -> Iterator[Witness]:
    with Witness(server) as witness:
        yield witness


def send_until_ended(raw: RawSocket, frames: bytes) -> None:
    """Send for ever, as a client does that does not look at the answers."""
    data = frames * (_WRITE // len(frames) + 1)
    for _ in range(10_000):
        try:
            raw.socket.sock.sendall(data)
        except ConnectionError:
            return
    raise AssertionError("the server takes everything")


def reasons(raw: RawSocket) -> tuple[list[str], bytes]:
    """The server's packets, and the last thing that it said in the protocol below them."""
    while True:
        code, data = raw.socket.recv_data(control_frame=True)
        if code == websocket.ABNF.OPCODE_CLOSE:
            return raw.frames[1:], data
        raw.frames.append(data.decode())


@pytest.mark.parametrize("kind", KINDS)
def test_a_flood_after_the_token_ends_its_own_socket(server: SocketServer, witness: Witness, kind: str) -> None:
    with server.let_in("eve") as raw:
        once, again = frames_of(kind, server.token("eve"))
        raw.socket.sock.sendall(once)
        send_until_ended(raw, again)
    witness.hears()


@pytest.mark.parametrize("kind", KINDS)
def test_a_flood_before_the_token_ends_its_own_socket(server: SocketServer, witness: Witness, kind: str) -> None:
    with server.raw() as raw:
        once, again = frames_of(kind, "not a token")
        raw.socket.sock.sendall(once)
        send_until_ended(raw, again)
    witness.hears()


def test_an_admitted_client_is_told_why_in_both_protocols(server: SocketServer) -> None:
    with server.let_in("eve") as raw:
        raw.socket.sock.sendall(frame("3") * 1_000)
        packets, closing = reasons(raw)
    assert [json.loads(packet[2:]) for packet in packets if packet.startswith("42")] == [
        ["socket.closing", {"code": REASON}]
    ]
    assert packets[-1] == "41"
    assert (struct.unpack("!H", closing[:2])[0], closing[2:].decode()) == (1008, REASON)


def test_a_client_without_a_token_is_told_why_in_both_protocols(server: SocketServer) -> None:
    with server.raw() as raw:
        raw.socket.sock.sendall(frame("3") * 1_000)
        packets, closing = reasons(raw)
    assert packets == [f'44{{"message":"{REASON}"}}']
    assert closing[2:].decode() == REASON


def test_a_burst_of_an_eager_client_is_no_flood(server: SocketServer) -> None:
    with server.let_in("ada") as raw:
        for _ in range(50):
            raw.send('42["x"]')
        server.publish(("ada", "mark", {}))
        assert raw.receive() == '42["mark",{}]'


@pytest.mark.parametrize("piece", [1, 100, 4_000])
def test_a_message_has_one_limit_however_it_is_cut(server: SocketServer, piece: int) -> None:
    with server.let_in("eve") as raw:
        raw.socket.sock.sendall(frame("42", 0x01))
        send_until_ended(raw, frame("x" * piece, 0x00))
        assert events_in(raw.frames) in ([], ["socket.closing"])


def test_a_message_over_the_limit_is_refused_although_the_budget_allows_it(server: SocketServer) -> None:
    with server.let_in("eve") as raw:
        raw.socket.sock.sendall(frame("x" * 30_000, 0x01) + frame("x" * 30_000, 0x00) * 2)
        assert struct.unpack("!H", reasons(raw)[1][:2]) == (1009,)


def test_a_message_that_a_client_cuts_into_a_few_pieces_arrives(server: SocketServer) -> None:
    with server.let_in("ada") as raw:
        token = json.dumps(["auth.refresh", {"token": server.token("ada")}])
        first, rest = f"427{token}"[:40], f"427{token}"[40:]
        raw.socket.sock.sendall(frame(first, 0x01) + frame("", 0x89) + frame(rest[:50], 0x00) + frame(rest[50:], 0x80))
        assert raw.receive() == '437[{"ok":true}]'


def test_the_draft_protocols_before_the_standard_are_refused(start: Callable[..., SocketServer]) -> None:
    """They have no limit for a message."""
    server = start(HOLDFAST_ALLOWED_ORIGINS="http://page.example")
    draft = HELLO.replace(b"Sec-WebSocket-Version: 13", b"Origin: http://page.example")
    with closing(socket.create_connection(address(server), patience(5))) as connection:
        connection.sendall(draft)
        assert connection.recv(1000).startswith(b"HTTP/1.1 400 ")


def test_one_log_line_a_minute_tells_of_all_floods(start: Callable[..., SocketServer]) -> None:
    server = start()
    with ExitStack() as stack:
        for raw in [stack.enter_context(server.raw()) for _ in range(5)]:
            send_until_ended(raw, frame("3"))
    assert server.service.log.count("realtime.flood: ") == 1


@pytest.mark.parametrize("token", [False, True], ids=["before the token", "after it"])
@pytest.mark.parametrize("kind", ["pongs of the transport", "refreshes", STORM])
def test_a_hundred_sockets_that_flood_leave_the_others_their_service(
    server: SocketServer, witness: Witness, kind: str, token: bool
) -> None:
    with flooding(server, kind, HUNDRED, server.token("eve") if token else ""):
        witness.measure(rounds=20)
    witness.was_served_within(LAG, HEALTH)


@pytest.mark.long
@pytest.mark.timeout(0)
@pytest.mark.parametrize("token", [False, True], ids=["before the token", "after it"])
@pytest.mark.parametrize("count", [1, HUNDRED])
@pytest.mark.parametrize("kind", [*KINDS, STORM])
def test_a_long_flood_leaves_the_others_their_service(
    server: SocketServer, witness: Witness, kind: str, count: int, token: bool
) -> None:
    with flooding(server, kind, count, server.token("eve") if token else ""):
        witness.measure(rounds=200)
    witness.was_served_within(LAG, HEALTH)


def test_memory_is_back_after_endless_fragments(start: Callable[..., SocketServer]) -> None:
    server = start()
    with flooding(server, "endless fragments", 20, ""):
        eventually(lambda: "realtime.flood" in server.service.log)
    before = server.memory
    with flooding(server, "endless fragments", HUNDRED, ""), Witness(server) as witness:
        witness.measure(rounds=10)
        assert server.memory - before < MAY_KEEP * 2
    eventually(lambda: server.memory - before < MAY_KEEP)


def test_clients_that_come_and_go_leave_nothing(start: Callable[..., SocketServer]) -> None:
    server = start(module="tests.edge.sockets.counting")
    with flooding(server, STORM, HUNDRED, ""), Witness(server) as witness:
        witness.measure(rounds=10)
    eventually(lambda: kept(server)[0] <= 2)  # of hundreds
    assert kept(server)[1] > 10_000  # Python's collector need not look at what is loaded


def kept(server: SocketServer) -> list[int]:
    """The transports in the server's memory, and the objects that Python's collector leaves alone."""
    line = [line for line in server.service.log.splitlines() if "realtime.kept: " in line][-1]
    return [int(number) for number in re.findall(r"\d+", line.partition("kept: ")[2])]
