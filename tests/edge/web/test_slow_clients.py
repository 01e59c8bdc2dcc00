"""A slow client costs memory, not a thread: others do not wait for it, and it does not stay for ever."""

import threading
from collections.abc import Callable
from contextlib import ExitStack

import pytest

from tests.edge.bystander import Bystander
from tests.edge.web.floods import flood
from tests.edge.web.web_server import WebServer, answer_on, code_of, read_all, request
from tests.eventually import eventually

# Far above the noise of a busy machine, and far below a wait for a slow client, which would last for a minute.
GENEROUS = 20
MEGABYTES = 1024 * 1024


@pytest.fixture(scope="module")
def web(start_web: Callable[..., WebServer]) -> WebServer:
    """A server that keeps slow clients for as long as a test takes on a busy machine."""
    return start_web("web", HOLDFAST_CLIENT_SECONDS="60")


@pytest.fixture(scope="module")
def impatient(start_web: Callable[..., WebServer], web: WebServer) -> WebServer:
    """A server that a test can wait for, on the database of the patient one."""
    return start_web("impatient", HOLDFAST_CLIENT_SECONDS="0.5", DATABASE_URL=web.database_url)


@pytest.fixture(scope="module")
def narrow(start_web: Callable[..., WebServer]) -> WebServer:
    """A server that takes few connections from an address."""
    patient = {"HOLDFAST_CLIENT_SECONDS": "60", "HOLDFAST_DRAIN_SECONDS": "60"}
    return start_web("narrow", HOLDFAST_WEB_CONNECTIONS_PER_ADDRESS="5", **patient)


@pytest.mark.parametrize("kind", ["idle", "dripping", "unread"])
def test_others_do_not_wait_for_slow_clients(web: WebServer, kind: str) -> None:
    token = web.sign_up(f"{kind}@example.org")
    page = web.large_page(token) if kind == "unread" else b""
    with Bystander(web.url, "/me", web.sign_up(f"not-{kind}@example.org")) as other:
        quiet = other.asks(60)
        with flood(web, page=page, **{kind: 40}):
            busy = other.asks(60)
    assert busy.p99 <= GENEROUS * quiet.p99, f"quiet: {quiet}; busy: {busy}"


@pytest.mark.long
def test_others_do_not_wait_for_1400_slow_clients(web: WebServer) -> None:
    token, before = web.sign_up("hostile@example.org"), web.memory
    page = web.large_page(token)
    with Bystander(web.url, "/me", web.sign_up("other@example.org")) as other:
        quiet = other.asks(300)
        with flood(web, idle=1000, dripping=200, unread=200, page=page):
            busy, after = other.asks(300), web.memory
    print(f"quiet: {quiet}; busy: {busy}; bytes more: {after - before}")
    assert busy.p99 <= 4 * quiet.p99, f"quiet: {quiet}; busy: {busy}"
    assert after - before < 250 * MEGABYTES


@pytest.mark.parametrize(
    "begun",
    [b"GET / HT", request("/chats", "", "Content-Length: 9", method="POST") + b"{", b"GET / HTTP/1.1\r\nX: y\r\n"],
)
def test_a_request_that_does_not_arrive_in_time_is_refused(impatient: WebServer, begun: bytes) -> None:
    status, _, body = impatient.asked(begun)
    assert (status, code_of(body)) == (408, "request_too_slow")


def test_a_client_that_sends_nothing_is_dropped(impatient: WebServer) -> None:
    with impatient.connect() as client:
        assert read_all(client) == b""


def test_an_answer_that_is_not_taken_in_time_is_dropped(impatient: WebServer, web: WebServer) -> None:
    page = web.large_page(web.sign_up("reader@example.org"))
    with impatient.connect(page, room=4096) as client, impatient.connect(page) as reader:
        whole = read_all(reader)  # this one reads, and loses its connection for its silence afterwards
        eventually(lambda: not impatient.holds(client))
        assert len(whole) > 1_000_000 > len(read_all(client))


def test_a_client_gets_its_answer_after_it_closed_its_side(web: WebServer) -> None:
    with web.connect(request("/healthz")) as client:
        client.shutdown(1)
        assert answer_on(client)[0] == 200


def test_beyond_the_limit_the_client_that_rested_for_longest_must_go(narrow: WebServer) -> None:
    clients = [narrow.connect() for _ in range(5)]
    assert narrow.healthy
    assert read_all(clients[0]) == b""
    clients[4].sendall(request("/healthz", "", "Connection: close"))
    assert answer_on(clients[4])[0] == 200
    for client in clients:
        client.close()


def test_the_limit_holds_for_clients_that_come_at_the_same_moment(narrow: WebServer) -> None:
    stuck = request("/chats", "", "Transfer-Encoding: chunked", method="POST") + b"Z\r\n"  # refused, and still open
    with ExitStack() as stack:
        clients = [stack.enter_context(narrow.connect(stuck if number % 2 else b"")) for number in range(60)]
        eventually(lambda: sum(map(narrow.holds, clients)) <= 5)
        assert narrow.healthy


def test_a_client_that_goes_early_ends_no_deadline_of_others(impatient: WebServer) -> None:
    clients = [impatient.connect(b"GET / HTTP/1.1\r\nX: ") for _ in range(40)]
    with impatient.connect() as patient:
        read_all(clients[0])
        for client in clients:
            client.close()
        with impatient.connect() as idle:
            assert read_all(idle) + read_all(patient) == b""


def test_bodies_of_stalled_clients_are_dropped_before_they_fill_the_memory(web: WebServer) -> None:
    head = request("/chats", "", "Content-Type: application/json", "Content-Length: 2000000", method="POST")
    clients = [web.connect(head + b" " * 1_900_000) for _ in range(40)]
    status, _, body = answer_on(clients[0])
    assert (status, code_of(body)) == (503, "server_full")
    assert web.memory < 300 * MEGABYTES
    for client in clients:
        client.close()


def test_a_request_leaves_nothing_in_memory_while_its_connection_stays(web: WebServer) -> None:
    head = request("/chats", "", "Content-Type: application/json", "Content-Length: 1900000", method="POST")
    with ExitStack() as stack:
        clients, before = [stack.enter_context(web.connect()) for _ in range(50)], web.memory
        for client in clients:
            client.sendall(head + b" " * 1_900_000)
            assert client.recv(12).endswith(b" 401")
        assert web.memory - before < 30 * MEGABYTES
        assert all(map(web.holds, clients))


def test_a_drain_cuts_no_request_and_no_answer(narrow: WebServer) -> None:
    web = narrow
    page = web.large_page(web.sign_up("drained@example.org")).replace(b"Host:", b"Connection: close\r\nHost:")
    body = request("/auth/sign-in", "", "Content-Type: application/json", "Content-Length: 2", method="POST")
    with web.connect(page, room=4096) as reader, web.connect(body + b"{") as writer, web.connect() as idle:
        first = reader.recv(4096)  # so the page is under way
        exits: list[int | None] = []
        ending = threading.Thread(target=lambda: exits.append(web.service.stop()))
        ending.start()
        assert read_all(idle) == b""
        writer.sendall(b"}")
        assert answer_on(writer)[0] == 422
        head, _, rest = (first + read_all(reader)).partition(b"\r\n\r\n")
        assert f"content-length: {len(rest)}".encode() in head
        ending.join()
    assert exits == [0]
    web.start_again()
