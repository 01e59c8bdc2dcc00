"""Many conversations at once with one of the two systems, and the figures that come out."""

import asyncio
import math
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

import aiohttp

from benchmarks.lab.clients import Conversation, Reply, ask
from benchmarks.lab.model import Plan
from benchmarks.lab.systems import System

SETTLE_SECONDS, IDLE_SECONDS = 3.0, 10.0
OPENING_AT_ONCE = 2  # a sign-up is slow by design, and the API refuses many at once
MOST_AT_ONCE = 100


@dataclass(frozen=True)
class Load:
    """The number of conversations at once, the reply that they ask for, and the duration."""

    at_once: int
    plan: Plan
    seconds: float


STREAM = Plan(chunks=50, first=500, every=40)
WARM_UP = Load(MOST_AT_ONCE, Plan(chunks=1), seconds=0.0)
STREAMS_20 = Load(20, STREAM, seconds=7.5)
STREAMS_100 = Load(MOST_AT_ONCE, STREAM, seconds=5.0)
INSTANT_1 = Load(32, Plan(chunks=1), seconds=4.0)
INSTANT_50 = Load(32, Plan(chunks=50), seconds=4.0)
LOADS = [STREAMS_20, STREAMS_100, INSTANT_1, INSTANT_50]


@dataclass
class Result:
    """The result of one load, summed over its turns. Times are in seconds."""

    replies: list[Reply] = field(default_factory=list)
    seconds: float = 0.0
    cpu: Counter[str] = field(default_factory=Counter)
    load_cpu: float = 0.0

    @property
    def good(self) -> list[Reply]:
        return [reply for reply in self.replies if not reply.problem]

    @property
    def accept(self) -> list[float]:
        return [reply.accepted - reply.posted for reply in self.good]

    @property
    def first_text(self) -> list[float]:
        """The time from each post to the first text, less the time of the model itself."""
        return [reply.first_text - reply.posted - reply.plan.first / 1000 for reply in self.good]

    @property
    def lag(self) -> list[float]:
        return [lag for reply in self.good for lag in reply.lags.values()]

    @property
    def rate(self) -> float:
        return len(self.good) / self.seconds

    @property
    def cpu_per_reply(self) -> float:
        return self.cpu.total() / len(self.good) if self.good else math.nan


class Side:
    """One of the two systems, with its conversations and its results."""

    def __init__(self, system: System) -> None:
        self.processes, self.conversation = system.processes, system.conversation
        self.results: dict[Load, Result] = defaultdict(Result)
        self.conversations: list[Conversation] = []

    async def measure_idle(self) -> None:
        await asyncio.sleep(SETTLE_SECONDS)
        self.idle_memory, before = self.processes.pss(), self.processes.cpu_seconds()
        await asyncio.sleep(IDLE_SECONDS)
        after = self.processes.cpu_seconds()
        self.idle_cores = {name: (after[name] - before[name]) / IDLE_SECONDS for name in after}

    async def open_conversations(self, http: aiohttp.ClientSession, most: int = MOST_AT_ONCE) -> None:
        self.conversations = [self.conversation(http) for _ in range(most)]
        room = asyncio.Semaphore(OPENING_AT_ONCE)

        async def _open(conversation: Conversation) -> None:
            async with room:
                await conversation.open()

        await asyncio.gather(*map(_open, self.conversations))

    async def put_under(self, load: Load) -> None:
        """Each conversation asks again as soon as it has its reply, until the time is up."""
        result, cpu = self.results[load], Counter(self.processes.cpu_seconds())
        load_cpu, start = time.process_time(), time.monotonic()
        asking = [
            _converse(conversation, load.plan, start + load.seconds, load.plan.seconds * place / load.at_once)
            for place, conversation in enumerate(self.conversations[: load.at_once])
        ]
        result.replies += [reply for replies in await asyncio.gather(*asking) for reply in replies]
        result.seconds += time.monotonic() - start
        result.load_cpu += time.process_time() - load_cpu
        result.cpu += Counter(self.processes.cpu_seconds()) - cpu


async def _converse(conversation: Conversation, plan: Plan, until: float, delay: float) -> list[Reply]:
    await asyncio.sleep(delay)  # spread out, because otherwise the chunks of all streams would come at the same moments
    replies = [await ask(conversation, plan)]
    while time.monotonic() < until:
        replies.append(await ask(conversation, plan))
    return replies


def percentile(values: Sequence[float], percent: float) -> float:
    return sorted(values)[math.ceil(len(values) * percent / 100) - 1] if values else math.nan
