"""One trial: people post, something breaks, all becomes quiet again, and the checker judges the result."""

import fcntl
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from typing import Any

import engineio
import httpx2
import psutil
from sqlalchemy import select, true

from shared.models.message import messages
from shared.models.user import users
from tests.e2e.rows import end_leases
from tests.eventually import eventually, patience, rest
from tests.fake_request import Request
from tests.faults.lab.checker.checker import Verdict, judge
from tests.faults.lab.checker.rules import LETS_GO_WITHIN, Rules
from tests.faults.lab.checker.violation import UNEXPECTED, Violation
from tests.faults.lab.deployment import PROGRAMS, Deployment
from tests.faults.lab.evidence import Evidence
from tests.faults.lab.gathering import gather, handed_over_again, open_replies, rows_of
from tests.faults.lab.history import History, Outcome
from tests.faults.lab.people import Witnessed
from tests.faults.lab.witness import clock, notes


class Trial:
    """The tools of one fault test."""

    def __init__(self, deployment: Deployment, stack: ExitStack) -> None:
        self.deployment, self.model, self.programs = deployment, deployment.model, deployment.programs
        self.redis = deployment.redis
        self.restart = deployment.restart
        self.history = History()
        self.people: list[Witnessed] = []
        self._web = self.programs["web"].pid
        self._stack = stack
        self._logged = {name: len(self.programs[name].log) for name in PROGRAMS}
        self._uninvited: list[str] = []
        self._watch_uninvited()

    def person(self) -> Witnessed:
        """Sign up a new person, with an open tab and a chat."""
        person = Witnessed(self.programs.url, self.programs.realtime_url, self.history)
        self.people.append(self._stack.enter_context(person))
        return person

    def asked(self, outcome: Outcome) -> list[Request]:
        """The requests that the model got for this post."""
        return self.model.asked(outcome.nonce)

    def wait_for_text(self, *outcomes: Outcome, pieces: int = 1, attempt: int = 1, within: float = 15.0) -> None:
        """Wait until the model has sent so many pieces for each outcome, in the request of this number."""
        eventually(lambda: all(self._said(outcome, attempt) >= pieces for outcome in outcomes), within)

    def wait_for_status(self, outcome: Outcome, *statuses: str, within: float = 15.0) -> None:
        person = next(person for person in self.people if person.id == outcome.user_id)
        eventually(lambda: person.reply(outcome)["status"] in statuses, within)

    def kill_worker(self) -> None:
        """Kill the worker. The leases of its replies lapse at once."""
        self.programs["worker"].kill()
        self.lapse()

    def worker_died(self, within: float = 15.0) -> None:
        """Wait until a worker with an armed failpoint has died. The leases of its replies lapse at once."""
        self.wait_for_death("worker", within)
        self.lapse()

    def lapse(self, *outcomes: Outcome, **values: Any) -> None:
        """End the leases of these running replies, or of all if none is named, and store the values.

        No living worker may have one of them.
        """
        mine = messages.c.owner_id.in_([person.id for person in self.people])
        named = messages.c.id.in_([outcome.reply_id for outcome in outcomes]) if outcomes else true()
        with self.deployment.engine.begin() as unit:
            end_leases(unit, mine, named, **values)

    @contextmanager
    def held(self) -> Iterator[None]:
        """While the block lasts, programs wait at their failpoints of the kind `hold:{hold}`."""
        with self.deployment.hold_file.open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def wait_for_failpoint(self, point: str, times: int = 1) -> None:
        """Wait until the worker has reached its armed failpoint so often since the trial began."""
        told = f"failpoint.reached: {point}"
        eventually(lambda: self.log_of("worker").count(told) >= times, within=15)

    def log_of(self, name: str) -> str:
        """The output of this program since the trial began."""
        return self.programs[name].log[self._logged[name] :]

    def rows(self, outcomes: Iterable[Outcome]) -> list[Any]:
        """The rows of these replies."""
        return rows_of(self.deployment.engine, outcomes)

    def freeze_worker(self, outcome: Outcome) -> None:
        """Freeze the worker outside a transaction. Inside one, it would keep the rows' lock, despite all fences."""
        engine = self.deployment.engine.execution_options(sqlite_begin="IMMEDIATE")
        with engine.begin() as unit:
            unit.execute(select(users.c.id).where(users.c.id == outcome.user_id).with_for_update())
            unit.execute(select(messages.c.id).where(messages.c.id == outcome.reply_id).with_for_update())
            self.programs["worker"].freeze()

    def clock(self) -> int:
        """The time on the database's clock, in milliseconds."""
        return clock(self.deployment.engine)

    def begun(self, outcome: Outcome) -> list[int]:
        """The times at which the attempts at this reply began, on the database's clock."""
        steps = notes(self.deployment.engine)
        began = ("reply", outcome.reply_id, "running")
        return [step.at for step in steps if (step.what, step.whose, step.now) == began]

    def wait_for_death(self, name: str, within: float = 15.0) -> None:
        """Wait until a program with an armed failpoint has died."""
        eventually(lambda: not self.programs[name].alive, within)

    def check(self, within: float = 25.0, rules: Rules | None = None) -> Verdict:
        """Wait until all is quiet, at most so long, then judge. `rules` are the exceptions that this fault makes legal.

        Every program must live, because nobody starts a dead one here.
        """
        processes = self._processes()
        slow = [*self._ends(within), *self._heals()]
        rules = rules or Rules()
        if self.programs["web"].pid != self._web:  # the last clients of the old one got no answer
            rules = replace(rules, unanswered=True)
        verdict = judge(self._evidence(), rules)
        ended = [name for name, before in processes.items() if not before <= self._processes()[name]]
        slow += [Violation("G12", UNEXPECTED, f"{name} was started again, or a process of it") for name in ended]
        return replace(verdict, violations=verdict.violations + slow)

    def _said(self, outcome: Outcome, number: int) -> int:
        """The number of text pieces that the request of this number has brought."""
        return next((request.sent for request in self.asked(outcome) if request.number == number), 0)

    def _processes(self) -> dict[str, set[int]]:
        """The process ids of each program and its children. A master may restart its children and live on itself."""
        living = {name: psutil.Process(pid) for name, pid in self.deployment.pids().items()}
        return {name: {one.pid, *(child.pid for child in one.children())} for name, one in living.items()}

    def _ends(self, within: float) -> Iterator[Violation]:
        """G2: all replies are final in time. Then the model's connections get the time to close that G9 allows."""
        try:
            eventually(lambda: not open_replies(self.deployment.engine, self.people), within)
        except AssertionError as error:
            left = open_replies(self.deployment.engine, self.people)
            yield Violation("G2", UNEXPECTED, f"{left} replies have no end: {error}")
        with suppress(AssertionError):
            eventually(lambda: all(request.closed_at for request in self.model.requests), LETS_GO_WITHIN / 1000)

    def _heals(self, within: float = 14.0) -> Iterator[Violation]:
        """G12: a new person gets an answer and its event. With an open breaker, this takes 10 s and a sweep.

        An event may fall into the gap before the socket server hears again. Then there is a `resync` for the event. Of
        a few posts, one must reach a worker without the sweeper, as on any day.
        """
        fresh = self.person()
        try:
            for key in ("fresh", "once more", "at last"):
                outcome = fresh.insist(fresh.ask("chunks=2", key=key), within)
                eventually(lambda: fresh.reply(outcome)["status"] == "completed", within)  # noqa: B023
                fresh.tab.wait_for(lambda e: e.name in ("resync", "message.completed"), within=3)
                if not handed_over_again(self.deployment.engine, outcome.reply_id):
                    return
            yield Violation("G12", UNEXPECTED, "only sweepers hand over")
        except (AssertionError, TypeError, httpx2.TransportError) as error:
            yield Violation("G12", UNEXPECTED, f"a fresh post has no end in sight: {error!r}")

    def _evidence(self) -> Evidence:
        rest(0.3)  # a late delta or a second ending, which must not come, would come now
        logs = "\n".join(f"=== {name}\n{self.log_of(name)}" for name in PROGRAMS)
        requests = self.model.requests
        return gather(self.deployment.engine, self.people, self.history, requests, self._uninvited, logs)

    def _watch_uninvited(self) -> None:
        client = engineio.Client(request_timeout=patience(5))
        client.on("message", lambda packet: self._uninvited.append(str(packet)))
        client.connect(self.programs.realtime_url, transports=["websocket"], engineio_path="socket.io")
        client.send('0{"token":"nonsense"}')
        self._stack.callback(client.disconnect)


@contextmanager
def a_trial(deployment: Deployment) -> Iterator[Trial]:
    """Run one trial. All its people leave at its end."""
    with ExitStack() as stack:
        yield Trial(deployment, stack)
