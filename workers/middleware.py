"""What surrounds each job: an app context with its database session, and a fresh log context."""

import threading
from typing import Any

from dramatiq import Broker, MessageProxy, Middleware
from flask import Flask

from shared.logs import work


class AppContextMiddleware(Middleware):
    """Gives each job its own session, and takes it away whatever happened."""

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
