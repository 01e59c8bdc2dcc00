"""F32: the server cuts off a client that stops reading at a bounded queue. No other client notices."""

import select
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.eventually import eventually
from tests.fair_clock import CLOCK
from tests.realtime.socket_server import SocketServer
from tests.services.sockets import RawSocket, SocketClient

# Seconds: the promised time for the other clients.
OTHERS_WITHIN = 1.0
# Bytes by which the process may grow: a queue of 1 MiB, and room for Python's own memory.
MAY_GROW = 12 * 2**20
REPLIES = 200
ROUNDS = 200


@pytest.fixture
def server(start: Callable[..., SocketServer]) -> SocketServer:
    return start()


@pytest.fixture
def others(server: SocketServer) -> Iterator[list[SocketClient]]:
    with ExitStack() as stack:
        yield [stack.enter_context(server.client(f"other {number}")) for number in range(5)]


def stream(server: SocketServer, to: str, mark: str) -> None:
    """Send one tick of 200 replies that stream to one user, and one event to each other client."""
    deltas = [(to, "message.delta", {"messageId": str(reply), "text": "x" * 500}) for reply in range(REPLIES)]
    server.publish(*deltas, *((f"other {number}", mark, {"at": time.time()}) for number in range(5)))


def dropped(slow: RawSocket) -> bool:
    """Tells whether the server has reset the connection. A reset loses all unread bytes."""
    poll = select.poll()
    poll.register(slow.socket.sock, 0)
    return bool(poll.poll(0))


def test_who_does_not_read_is_cut_off_and_nobody_else_notices(server: SocketServer, others: list[SocketClient]) -> None:
    with server.let_in("slow") as slow:
        before = server.memory
        grown, rounds = 0, 0
        while not dropped(slow):
            rounds += 1
            assert rounds < ROUNDS, f"{rounds * REPLIES * 600} bytes, and it is still there"
            stream(server, "slow", f"mark {rounds}")
            for other in others:
                heard = other.wait_for_name(f"mark {rounds}")
                assert CLOCK.between(heard.data["at"], heard.at) < OTHERS_WITHIN
            grown = max(grown, server.memory - before)
        assert grown < MAY_GROW
        assert all(other.connections == 1 for other in others)


def test_once_it_reads_again_it_may_come_back(server: SocketServer, others: list[SocketClient]) -> None:
    with server.let_in("slow") as slow:
        for number in range(ROUNDS):
            if not dropped(slow):
                stream(server, "slow", f"mark {number}")
        assert dropped(slow)
    with server.let_in("slow") as back:
        server.publish(("slow", "welcome back", {}))
        while back.receive() != '42["welcome back",{}]':
            pass  # earlier events come first


def test_who_reads_slowly_but_reads_stays(server: SocketServer) -> None:
    """The same number of events cuts off a client that never reads. This one only pauses now and then."""
    with server.let_in("steady") as steady:
        for _ in range(50):
            stream(server, "steady", "mark")
            for _ in range(REPLIES):
                assert steady.receive().startswith('42["message.delta"')


def test_many_slow_readers_leave_nothing_behind(server: SocketServer, others: list[SocketClient]) -> None:
    with ExitStack() as stack:
        slow = [stack.enter_context(server.let_in(f"slow {number}")) for number in range(20)]
        before = server.memory
        deltas = [(f"slow {number}", "message.delta", {"text": "x" * 30_000}) for number in range(20)]

        def all_dropped() -> bool:
            server.publish(*deltas)
            return all(map(dropped, slow))

        eventually(all_dropped, within=20)
        assert server.memory - before < 20 * MAY_GROW / 4
    server.publish(("other 0", "mark", {}))
    others[0].wait_for_name("mark")
