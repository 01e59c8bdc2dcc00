"""The page of another site: a development server on a port of its own, with a client of the API."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

# Signs in, posts twice with one key, refreshes with the cookie, and hears of the reply on a socket.
_PAGE = """<!doctype html><meta charset="utf-8"><title>Another site</title><pre></pre>
<script type="module">
  const api = "API", note = (line) => document.querySelector("pre").append(line + "\\n");
  const call = async (method, path, body, headers = {}) => {
    const answer = await fetch(api + path, {
      method, credentials: "include", headers: { "Content-Type": "application/json", ...headers },
      body: body && JSON.stringify(body),
    });
    return { status: answer.status, headers: answer.headers, ...(await answer.json().catch(() => ({}))) };
  };
  try {
    await call("POST", "/auth/sign-in", { email: "EMAIL", password: "PASSWORD" });
    const { accessToken } = await call("POST", "/auth/refresh");
    note(accessToken ? "refreshed" : "no refresh");
    const signed = { Authorization: `Bearer ${accessToken}` };
    const { realtimeUrl } = await call("GET", "/config");
    const { io } = await import(api + "/vendor/socket.io.js");
    const socket = io(realtimeUrl, { transports: ["websocket"], auth: { token: accessToken } });
    await new Promise((resolve) => socket.on("connect", resolve));
    note("connected");
    socket.on("message.completed", ({ status }) => note(status));
    const chat = await call("POST", "/chats", {}, signed);
    for (const time of ["first", "second"]) {
      const key = { ...signed, "Idempotency-Key": "one" };
      const posted = await call("POST", `/chats/${chat.id}/messages`, { content: "Hello" }, key);
      note(`${time} ${posted.status} ${posted.headers.get("Idempotent-Replayed")}`);
    }
  } catch (error) {
    note(String(error));
  }
</script>"""


class OtherSite:
    """A server of pages, and nothing else. The cookie is SameSite=Strict, so its host has the API's name."""

    def __init__(self, server: ThreadingHTTPServer) -> None:
        self._server = server
        self.origin = f"http://localhost:{server.server_port}"

    def show(self, api: str, email: str, password: str) -> str:
        """The address of a page that uses this API."""
        page = _PAGE.replace("API", api, 1).replace("EMAIL", email).replace("PASSWORD", password)
        self._server.page = page.encode()  # type: ignore[attr-defined]
        return self.origin


class _Answer(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(self.server.page)  # type: ignore[attr-defined]

    def log_message(self, *_: object) -> None:
        """Write no log."""


@contextmanager
def other_site() -> Iterator[OtherSite]:
    """Serve until the end of the block."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Answer) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield OtherSite(server)
        finally:
            server.shutdown()
            thread.join()
