"""People who post and write down each answer. Each person has an open tab that writes down each event."""

import itertools
import random
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Self
from uuid import uuid4

import httpx2

from tests.e2e.person import Person
from tests.eventually import Stopwatch, joined, patience
from tests.fair_clock import CLOCK
from tests.faults.lab.history import History, Outcome, a_question
from tests.services.sockets import SocketClient

# Seconds. A post that takes longer has no answer.
_PATIENCE = patience(15.0)


class Witnessed(Person):
    """A person who signs up, and opens a tab and a chat, on entering."""

    def __init__(self, url: str, realtime_url: str, history: History) -> None:
        super().__init__(url)
        self.history, self._realtime_url = history, realtime_url

    def __enter__(self) -> Self:
        super().__enter__()
        self.http.timeout = _PATIENCE
        self.http.headers["Connection"] = "close"  # otherwise a restarted `web` breaks the old connection
        self.tab = SocketClient(self._realtime_url, self.token).__enter__()
        self.chats = [str(self.post("/chats")["id"])]
        return self

    def __exit__(self, *_: object) -> None:
        self.tab.__exit__()
        super().__exit__()

    def new_chat(self) -> str:
        """Open a further chat, and return its id."""
        self.chats.append(str(self.post("/chats")["id"]))
        return self.chats[-1]

    def ask(
        self,
        options: str = "chunks=3",
        *,
        chat: str = "",
        key: str | None = None,
        content: str = "",
        rule: str | None = None,
        generates: bool = True,
    ) -> Outcome:
        """Post a question that scripts its answer (tests/fake_script.py), by default in the first chat."""
        chat = chat or self.chats[0]
        choices = {"rule": rule, "generates": generates}
        outcome = self.history.begin("post", self.id, chat, content or a_question(options), key, **choices)
        body: dict[str, Any] = {"content": outcome.content} | ({"whenBusy": rule} if rule else {})
        body |= {} if generates else {"generate": False}
        return self._call(outcome, "POST", f"/chats/{chat}/messages", json=body)

    def call(
        self,
        op: str,
        method: str,
        path: str,
        chat: str = "",
        content: str = "",
        key: str | None = None,
        json: Any = None,
        **request: Any,
    ) -> Outcome:
        """Make another call that changes something. The history records the call as `op`, with a new text if any."""
        named = {"request": f"{method} {path}", "sent": json}
        outcome = self.history.begin(op, self.id, chat or self.chats[0], content, key, **named)
        return self._call(outcome, method, path, json=json, **request)

    def again(self, outcome: Outcome) -> Outcome:
        """Send the same with the same key, as a client does that got no answer."""
        same = {"chat": outcome.chat_id, "key": outcome.key, "content": outcome.content}
        if outcome.op == "post":
            return self.ask(**same, rule=outcome.rule, generates=outcome.generates)
        return self.call(outcome.op, *outcome.request.split(" "), **same, json=outcome.sent)

    def insist(self, outcome: Outcome, within: float = 30.0) -> Outcome:
        """Post again and again until there is an answer."""
        watch = Stopwatch()
        while outcome.kind == "unknown" and watch.seconds < within:
            time.sleep(0.2)
            outcome = self.again(outcome)
        return outcome

    def go_on(self) -> None:
        """Resume each chat that a failure has parked, so that its waiting replies run."""
        parked = [chat["id"] for chat in self.get("/chats")["items"] if chat["parked"]]
        for chat in parked:
            self.call("resume", "POST", f"/chats/{chat}/queue/resume", chat=chat)

    def look(self, path: str) -> Any:
        """Read something that may not be there just now; None without a good answer."""
        try:
            answer = self.http.get(path)
        except httpx2.TransportError:
            return None
        return answer.json() if answer.is_success else None

    def reply(self, outcome: Outcome) -> Any:
        """The reply as REST shows it now."""
        return self.get(outcome.path)

    def _call(self, outcome: Outcome, method: str, path: str, **request: Any) -> Outcome:
        headers = {"Idempotency-Key": outcome.key} if outcome.key else {}
        try:
            self._note(outcome, self.http.request(method, path, headers=headers, **request))
        except httpx2.TransportError as error:
            outcome.trouble = repr(error)
        outcome.took = CLOCK.now() - outcome.began
        return outcome

    def _note(self, outcome: Outcome, answer: httpx2.Response) -> None:
        outcome.text, outcome.retry_after = answer.text, answer.headers.get("Retry-After")
        if answer.content and answer.headers.get("Content-Type", "").endswith("json"):
            outcome.body = answer.json()
        outcome.status = answer.status_code  # the last, because other threads then read the rest


def at_the_same_time(calls: Iterable[Any]) -> list[Outcome]:
    """Make all these calls at the same moment, each in a thread of its own."""
    calls = list(calls)
    start = threading.Barrier(len(calls))

    def run(call: Any) -> Outcome:
        start.wait(patience(10))
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


class Load:
    """While the block lasts, each person posts again and again. Each post has a key, and repeats until its answer.

    Before each post, a person uses one of the `verbs` in the same chat: tests/faults/lab/verbs.py has some.
    """

    def __init__(
        self,
        people: list[Witnessed],
        options: str = "chunks=20,every=20",
        pause: float = 0.5,
        verbs: Sequence[Callable[[Witnessed, str], object]] = (),
    ) -> None:
        self._people, self._options, self._pause, self._verbs = people, options, pause, verbs
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._post, args=(person,)) for person in people]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        joined(*self._threads, within=60)

    def _post(self, person: Witnessed) -> None:
        for number in itertools.count():
            if self._over.wait(self._pause * random.uniform(0.5, 1.5)):
                return
            chat = person.chats[number % len(person.chats)]
            if self._verbs:
                random.choice(self._verbs)(person, chat)
            person.insist(person.ask(self._options, chat=chat, key=uuid4().hex))
