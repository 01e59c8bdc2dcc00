"""Requests that no HTTP library would send go straight to the real server."""

import json
import socket
from urllib.parse import urlsplit

from tests.e2e.person import Person
from tests.eventually import patience
from tests.services.programs import Programs


def test_chunks_that_are_none_are_refused(programs: Programs, person: Person) -> None:
    address = urlsplit(programs.url)
    request = (
        f"POST /chats HTTP/1.1\r\nHost: {address.netloc}\r\nAuthorization: Bearer {person.token}\r\n"
        "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\nZZ\r\n{}\r\n0\r\n\r\n"
    )
    with socket.create_connection((address.hostname, address.port), timeout=patience(5)) as connection:
        connection.sendall(request.encode())
        head, _, body = connection.makefile("rb").read().partition(b"\r\n\r\n")
    assert b" 400 " in head.splitlines()[0]
    assert json.loads(body)["code"] == "malformed_body"
    assert person.get("/chats")["items"] == []
