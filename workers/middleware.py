"""Gives each job an app context and a log context, notes that the process lives, and drains it when it must end."""

import signal
import threading
from typing import Any

from dramatiq import Broker, MessageProxy, Middleware, Worker
from flask import Flask

from shared.logs import work
from shared.redis.broker import ReplyBroker
from workers.presence import Presence
from workers.watchdog import Watchdog


class AppContextMiddleware(Middleware):
    """Gives each job a database session of its own, and removes it after the job, even after a failure."""

    def __init__(self, core: Flask) -> None:
        self._core = core
        self._thread = threading.local()

    def before_process_message(self, broker: Broker, message: MessageProxy) -> None:
        work.set("")
        self._thread.context = self._core.app_context()
        self._thread.context.push()

    def after_process_message(
        self,
        broker: Broker,
        message: MessageProxy,
        *,
        result: Any = None,
        exception: BaseException | None = None,
    ) -> None:
        self._thread.context.pop()


class PresenceMiddleware(Middleware):
    """Tells the database that this process lives, from its start until it fetches no more jobs."""

    def __init__(self, presence: Presence) -> None:
        self._presence = presence

    def after_process_boot(self, broker: Broker) -> None:
        self._presence.start()

    def before_worker_shutdown(self, broker: Broker, worker: Worker) -> None:
        self._presence.leave()

    def after_worker_shutdown(self, broker: Broker, worker: Worker) -> None:
        self._presence.wait()


class DrainMiddleware(Middleware):
    """Drains the process after the first signal. It fetches no more jobs, and the watchdog cuts the late replies short.

    Dramatiq itself checks for a signal only once a second. It drops all jobs at a second signal. Of many running jobs,
    it waits for the first one only (D-16).
    """

    def __init__(self, broker: ReplyBroker, watchdog: Watchdog, seconds: float) -> None:
        self._broker = broker
        self._watchdog = watchdog
        self._seconds = seconds
        self._jobs = 0
        self._ended = threading.Condition()

    def after_process_boot(self, broker: Broker) -> None:
        for number in (signal.SIGTERM, signal.SIGHUP):
            self._take(number)

    def before_process_message(self, broker: Broker, message: MessageProxy) -> None:
        with self._ended:
            self._jobs += 1

    def after_process_message(
        self,
        broker: Broker,
        message: MessageProxy,
        *,
        result: Any = None,
        exception: BaseException | None = None,
    ) -> None:
        with self._ended:
            self._jobs -= 1
            self._ended.notify()

    def before_worker_shutdown(self, broker: Broker, worker: Worker) -> None:
        self._drain()
        with self._ended:
            self._ended.wait_for(lambda: self._jobs == 0, self._seconds)

    def _take(self, number: signal.Signals) -> None:
        dramatiqs = signal.getsignal(number)

        def on_signal(*args: Any) -> None:
            if not self._watchdog.draining and callable(dramatiqs):
                self._drain()
                dramatiqs(*args)

        signal.signal(number, on_signal)

    def _drain(self) -> None:
        self._broker.fetching = False
        self._watchdog.drain()
