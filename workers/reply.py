"""The life of one attempt at a reply: claim, build the context, stream, finish. One step a line."""

import logging
import os
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from shared.actions.claim_reply import claim_reply
from shared.actions.finish_reply import (
    Superseded,
    complete_reply,
    fail_reply,
    give_back,
    note_first_text,
)
from shared.core import current_settings
from shared.db import DATABASE_AWAY
from shared.errors import EmptyReply, ModelTruncated, ReplyError, ReplyFailed
from shared.failpoints import reach
from shared.logs import work
from workers.context import build_context
from workers.providers import Ending, Prompt, Provider
from workers.relay import Relay
from workers.run import Run
from workers.watchdog import Watchdog

log = logging.getLogger(__name__)
T = TypeVar("T")

# Seconds. A model that asks for a longer pause has the reply fail at once.
_LONGEST_PAUSE = 60.0
# Seconds before another try to end a reply while the database is away.
_RETRY = 0.25
# Seconds before another run when the model named no pause.
_PAUSE = 2.0


@dataclass(frozen=True)
class Desk:
    """What every reply of this process is written with."""

    provider: Provider
    relay: Relay
    watchdog: Watchdog
    name: str = f"{socket.gethostname()[:40]}:{os.getpid()}"


def write_reply(reply_id: str, desk: Desk) -> None:
    """Write the reply if it is there to be written; safe to call any number of times with the same id.

    The endings are in `shared/actions/finish_reply.py`.
    """
    try:
        claim = claim_reply(reply_id, desk.name)
    except DATABASE_AWAY as away:
        log.warning("reply.not_claimed: %s; the sweeper brings it back, reply=%s", type(away).__name__, reply_id)
        return
    if claim is None:
        return
    reach("after_claim")
    work.set(f"reply={claim.id} attempt={claim.attempt}")
    run = Run(claim)
    try:
        ending = _write(run, desk)
        _insist(lambda: complete_reply(claim, run.answer(ending)))
    except Superseded:
        log.info("reply.superseded: someone else ends it")
    except ReplyError as error:
        _settle(run, error)
    except DATABASE_AWAY as error:
        log.warning("reply.database_away: %s; its lease will lapse, and it runs again", type(error).__name__)
    except Exception:
        log.exception("reply.failed")
        _settle(run, ReplyFailed())


def _write(run: Run, desk: Desk) -> Ending:
    desk.watchdog.watch(run)
    try:
        prompt = build_context(run.claim)
        ending = _stream(run, prompt, desk)
    finally:
        desk.relay.forget(run)
        desk.watchdog.leave(run)
    if ending.finish_reason is None:
        raise ModelTruncated
    if not run.text.strip():
        raise EmptyReply
    return ending


def _stream(run: Run, prompt: Prompt, desk: Desk) -> Ending:
    try:
        with desk.provider.ask(prompt) as stream, run.can_be_cut(stream.abort):
            for number, piece in enumerate(stream, 1):
                if (shown := run.add(piece)) and not stream.ending.finish_reason:  # else the final event brings it
                    _show(run, shown, desk)
                reach("after_chunk", number)
                if run.cut:
                    raise run.cut
                if run.full:
                    stream.abort()
                    return Ending("length")
            ending = stream.ending
    except Exception:
        if run.cut:  # cutting it short shows as some error of the connection
            raise run.cut from None
        raise
    if run.cut:
        raise run.cut
    return ending


def _show(run: Run, piece: str, desk: Desk) -> None:
    if not run.shown:
        note_first_text(run.claim)
        run.shown = True
    desk.relay.add(run, piece)


def _settle(run: Run, error: ReplyError) -> None:
    """Give it back for another run, or fail it: for good once text was shown, or when the model wants too long."""
    log.warning("reply.%s: after %d characters", error.code, run.size)
    pause = _PAUSE if error.retry_after is None else error.retry_after
    may_run_again = error.retryable and not run.shown and pause <= _LONGEST_PAUSE
    try:
        if not (may_run_again and _insist(lambda: give_back(run.claim, pause))):
            _insist(lambda: fail_reply(run.claim, error, run.answer(Ending())))
    except Superseded:
        log.info("reply.superseded: someone else ends it")
    except DATABASE_AWAY as away:
        log.warning("reply.database_away: %s; its lease will lapse, and it runs again", type(away).__name__)


def _insist(ending: Callable[[], T]) -> T:
    """Try an ending again while the database is away: it may be repeated, and the lease lasts that long at least."""
    deadline = time.monotonic() + current_settings().lease_seconds / 3
    while True:
        try:
            return ending()
        except DATABASE_AWAY:
            if time.monotonic() > deadline:
                raise
            time.sleep(_RETRY)
