"""The client of docs/client.md, as it stands there, in Node against the real programs."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.e2e.person import Person
from tests.eventually import patience
from tests.services.guard import Guard
from tests.services.programs import ROOT, Programs

pytestmark = pytest.mark.parametrize("programs", ["sqlite"], indirect=True)

# A post with its live text, a time without a socket, an event that is lost, a list of two pages, a server that ends the
# socket, and a sign-in that has ended.
STORY = """
import { openHoldfast } from "./client.mjs";
const [url, email, password, long] = process.argv.slice(2);
const until = async (is) => { while (!is()) await new Promise((resolve) => setTimeout(resolve, 20)); };
globalThis.setInterval = () => 0; // no timer renews the token, so that the client's answers to events do
const sizes = new Set();
let first = null;
const holdfast = await openHoldfast(url, email, password, () => {
  sizes.add(holdfast.messages.get(first?.reply.id)?.content.length);
});
const { socket, messages } = holdfast;
await until(() => holdfast.chats.size > 0);
const chat = await holdfast.call("POST", "/chats", { title: "Hello" });
const ended = ({ reply }) => until(() => ["completed", "failed"].includes(messages.get(reply.id)?.status));

first = await holdfast.post(chat.id, "First fake:chunks=20,every=30");
await ended(first);
await holdfast.refresh();

socket.disconnect();
const second = await holdfast.post(chat.id, "Second");
socket.connect();
await ended(second);

const [hear] = socket.listenersAny();
socket.offAny().once("message.created", () => socket.onAny(hear));
await ended(await holdfast.post(chat.id, "Third"));

const heard = [...messages.values()];
messages.clear();
await holdfast.read(chat.id);
const read = [...messages.values()];
messages.clear();
await holdfast.read(long);
const listed = messages.size;
const refused = await holdfast.call("GET", "/chats/nothing").catch(({ code }) => code);

let connections = 0;
socket.on("connect", () => { connections += 1; });
for (let n = 0; n < 1000; n += 1) socket.emit("auth.refresh", { token: "none" });
await until(() => connections > 0);
await ended(await holdfast.post(chat.id, "Heard again"));

let asked = 0;
globalThis.fetch = async () => new Response(`{"code": "token_expired", "n": ${(asked += 1)}}`, { status: 401 });
const over = await holdfast.refresh().catch(({ code }) => code);
console.log(JSON.stringify({ sizes: sizes.size, heard, read, long: listed, refused, asked, over }));
holdfast.close();
"""


@pytest.fixture
def folder(guard: Guard) -> Path:
    """A folder with the client of the page, where Node finds its library."""
    folder = guard.folder / "client-page"
    folder.mkdir()
    (code, *_) = re.findall(r"^```js\n(.*?)^```$", (ROOT / "docs" / "client.md").read_text(), re.DOTALL | re.MULTILINE)
    assert len(code.splitlines()) <= 60
    (folder / "client.mjs").write_text(code)
    (folder / "story.mjs").write_text(STORY)
    (folder / "node_modules").symlink_to(ROOT / "node_modules")
    return folder


def test_the_client_of_the_page_follows_the_server(folder: Path, programs: Programs, person: Person) -> None:
    long = person.post("/chats", title="Long")["id"]
    for _ in range(12):  # more text than one page may have
        person.post(f"/chats/{long}/messages", content="x" * 100_000, generate=False)
    node = shutil.which("node", path=programs.environment["PATH"])
    command = [str(node), "story.mjs", programs.url, person.email, person.password, long]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=patience(60), check=False)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["long"], told["refused"]) == (12, "forbidden")
    assert (told["asked"], told["over"]) == (1, "token_expired")
    assert told["sizes"] > 5, "the text of the first reply did not grow by pieces"
    assert [message["status"] for message in told["read"]] == 6 * ["completed"]
    read, heard = ({message["id"]: message["content"] for message in told[name]} for name in ("read", "heard"))
    assert heard == read
