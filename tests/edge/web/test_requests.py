"""Requests that no browser sends: what the server refuses, and what its answers and its log tell others."""

import pytest

from tests.edge.web.web_server import WebServer, answer_on, code_of, read_all, request

CHUNKED = request("/chats", "", "Content-Type: application/json", "Transfer-Encoding: chunked", method="POST")
LAST = "Connection: close"


def test_a_header_without_a_colon_is_refused_and_not_logged(web: WebServer) -> None:
    status, _, body = web.asked(request("/me", "", "Authorization Bearer secret-of-somebody"))
    assert (status, code_of(body)) == (400, "malformed_request")
    assert b"secret-of-somebody" not in body
    assert web.healthy
    assert "secret-of-somebody" not in web.service.log


@pytest.mark.parametrize("name", ["SCRIPT_NAME", "Script-Name", "PATH_INFO", "HTTP_HOST"])
def test_a_client_cannot_set_what_the_server_tells_the_app(web: WebServer, name: str) -> None:
    status, _, body = web.asked(request("/config", "", f"{name}: /elsewhere", LAST))
    assert status == 200
    assert b"elsewhere" not in body
    assert b"http://web:" in body


def test_a_header_with_an_underscore_is_none(web: WebServer) -> None:
    assert web.asked(request("/", "", "If-None-Match: *", LAST))[0] == 304
    assert web.asked(request("/", "", "If_None_Match: *", LAST))[0] == 200


def test_a_header_after_the_body_counts_for_nothing(web: WebServer) -> None:
    token = web.sign_up("trailer@example.org")
    trailer = f"2\r\n{{}}\r\n0\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
    head = request("/chats", "", "Content-Type: application/json", "Transfer-Encoding: chunked", LAST, method="POST")
    assert web.asked(head, trailer)[0] == 401


@pytest.mark.parametrize(
    "parts",
    [
        [request("/chats", "", "Content-Length: 2097153", method="POST"), b" " * 2_097_153],
        [CHUNKED, b"200001\r\n" + b" " * 2_097_153 + b"\r\n0\r\n\r\n"],
        [CHUNKED, 40 * (b"10000\r\n" + b" " * 65_536 + b"\r\n")],
        [CHUNKED, 20_000 * b"1\r\n \r\n"],
        [CHUNKED, b"2\r\n{}\r\n0\r\nX: ", 6 * (b"y" * 65_536)],
        [CHUNKED, b"2;", 6 * (b"y" * 65_536)],
    ],
    ids=["announced", "one chunk", "chunks", "tiny chunks", "a header after it", "an extension of a chunk"],
)
def test_a_body_that_is_too_large_is_refused_while_it_comes(web: WebServer, parts: list[bytes]) -> None:
    status, _, body = web.asked(*parts)
    assert (status, code_of(body)) == (413, "body_too_large")


def test_a_bad_body_is_refused_although_its_client_waits_to_be_asked_for_it(web: WebServer) -> None:
    logged = len(web.service.log)
    status, _, body = web.asked(CHUNKED[:-2] + b"Expect: 100-continue\r\n\r\nzz\r\n")
    assert (status, code_of(body)) == (400, "malformed_body")
    assert web.healthy
    assert "Traceback" not in web.service.log[logged:]


@pytest.mark.parametrize("head", [b"GET / HTTP/1.1\r\nX: " + b"y" * 100_000, b"GET / HTTP/1.1\r\n" + 101 * b"X: y\r\n"])
def test_a_head_that_is_too_large_is_refused(web: WebServer, head: bytes) -> None:
    status, _, body = web.asked(head + b"\r\n\r\n")
    assert (status, code_of(body)) == (431, "headers_too_large")


def test_a_body_is_never_taken_for_the_next_request(web: WebServer) -> None:
    """With `Upgrade`, the parser does not read the body that is announced."""
    smuggled = request("/config", "", LAST)
    lines = ("Connection: Upgrade", "Upgrade: h2c", f"Content-Length: {len(smuggled)}")
    with web.connect(request("/chats", "", *lines, method="POST")) as client:
        client.sendall(smuggled)
        answers = read_all(client)
    assert b"malformed_request" in answers
    assert b"realtimeUrl" not in answers


def test_a_few_requests_may_come_at_once_and_are_answered_in_order(web: WebServer) -> None:
    with web.connect(request("/healthz") + request("/nothing") + request("/config", "", LAST)) as client:
        answers = read_all(client)
    assert [answers.index(part) for part in (b"200 OK", b"404 Not Found", b"realtimeUrl")] == sorted(
        answers.index(part) for part in (b"200 OK", b"404 Not Found", b"realtimeUrl")
    )


@pytest.mark.parametrize(
    ("broken", "code"),
    [
        (b"no request\r\n\r\n", "malformed_request"),
        (request("/chats", "", "no header", method="POST"), "malformed_request"),
        (CHUNKED + b"zz\r\n", "malformed_body"),
        (request("/chats", "", "Content-Length: 2097153", method="POST"), "body_too_large"),
    ],
    ids=["no request", "a bad header", "a bad chunk", "a large body"],
)
@pytest.mark.parametrize("whole", [1, 3])
def test_a_broken_request_takes_no_answer_from_those_before_it(
    web: WebServer, whole: int, broken: bytes, code: str
) -> None:
    with web.connect(whole * request("/config") + broken) as client:
        answers = read_all(client).split(b"HTTP/1.1 ")[1:]
    assert [answer[:3] for answer in answers[:-1]] == whole * [b"200"]
    assert code_of(answers[-1].partition(b"\r\n\r\n")[2]) == code
    assert web.healthy


def test_hundreds_of_requests_at_once_end_the_connection(web: WebServer) -> None:
    with web.connect(500 * request("/healthz")) as client:
        assert read_all(client).count(b"200 OK") < 10


@pytest.mark.parametrize("target", ["a:1", "*", "//", "/\\", "/%00", "http://", "?", "/%ff"])
def test_no_address_is_an_error_of_the_server(web: WebServer, target: str) -> None:
    for method in ("GET", "CONNECT", "OPTIONS"):
        with web.connect(request(target, "", LAST, method=method)) as client:
            status, _, body = answer_on(client)
        assert 200 <= status < 500 or not body, (method, status, body)
    assert "Traceback" not in web.service.log


@pytest.mark.parametrize("path", ["/me", "/chats", "/nothing", "/config", "/", "/client/main.js", "/auth/sign-in"])
def test_no_cache_keeps_an_answer_to_a_request_with_a_token(web: WebServer, path: str) -> None:
    _, headers, _ = web.asked(request(path, web.sign_up(f"{hash(path)}@example.org"), LAST))
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"


def test_no_cache_keeps_a_new_token(web: WebServer) -> None:
    body = b'{"email": "kept@example.org", "password": "correct horse battery"}'
    lines = ("Content-Type: application/json", f"Content-Length: {len(body)}", LAST)
    status, headers, _ = web.asked(request("/auth/sign-up", "", *lines, method="POST"), body)
    assert (status, headers["cache-control"]) == (201, "no-store")
    assert "set-cookie" in headers


@pytest.mark.parametrize("codings", [["gzip, chunked"], ["gzip", "chunked"], ["chunked, chunked"], ["identity"], ["x"]])
def test_a_body_that_nobody_can_unpack_is_refused(web: WebServer, codings: list[str]) -> None:
    lines = ["Content-Type: application/json", *(f"Transfer-Encoding: {coding}" for coding in codings)]
    status, _, body = web.asked(request("/auth/sign-in", "", *lines, method="POST"), b"2\r\n{}\r\n0\r\n\r\n")
    assert (status, code_of(body)) == (400, "malformed_request")


def test_a_long_host_is_no_fault_of_the_body(web: WebServer) -> None:
    head = request("/", "", LAST).replace(b"Host: web", b"Host: " + 9_000 * b"a")
    status, _, body = web.asked(head)
    assert (status, code_of(body)) == (400, "malformed_request")


@pytest.mark.parametrize("lines", [["Connection: close, Upgrade"], ["Connection: Upgrade", "Upgrade: h2c"]])
def test_a_wish_for_another_protocol_is_ignored(web: WebServer, lines: list[str]) -> None:
    assert web.asked(request("/config", "", *lines))[0] == 200


@pytest.mark.parametrize("ranges", ["bytes=-0,5-1,x", "bytes=99999999-", "bytes=0-1", "lines=1-2"])
def test_a_file_comes_whole_whatever_range_is_asked_for(web: WebServer, ranges: str) -> None:
    status, _, body = web.asked(request("/", "", f"Range: {ranges}", LAST))
    assert status == 200
    assert body.endswith(b"</html>\n")
