"""The life of one attempt at a reply: claim, build the context, stream, finish. One step a line."""

import logging
import os
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from flask import Flask

from shared.actions.replies.claim import claim_reply
from shared.actions.replies.finish import Superseded, complete_reply, fail_reply, note_first_text
from shared.actions.replies.release import give_back, release_reply
from shared.core import current_link, current_settings
from shared.database.retries import DATABASE_AWAY
from shared.errors.replies import ContextTooLong, EmptyReply, ModelTruncated, ReplyError, ReplyFailed, WorkerLost
from shared.failpoints import reach
from shared.logs import work
from shared.settings import Settings
from workers.context import build_context, shortest
from workers.providers import Ending, Prompt, Provider, create_provider
from workers.relay import Relay
from workers.run import Run
from workers.watchdog import Drained, Watchdog

log = logging.getLogger(__name__)
T = TypeVar("T")

# Seconds. A model that asks for a longer pause has the reply fail at once.
_LONGEST_PAUSE = 60.0
# Seconds before another try while the database is away.
_RETRY = 0.25
# Seconds before another run when the model named no pause.
_PAUSE = 2.0


@dataclass(frozen=True)
class Desk:
    """What every reply of this process is written with."""

    provider: Provider
    relay: Relay
    watchdog: Watchdog
    #: Writes a reply in a process of its own.
    write_alone: Callable[[Run], None] | None = None
    name: str = f"{socket.gethostname()[:40]}:{os.getpid()}"


def create_desk(core: Flask, settings: Settings) -> Desk:
    """One for this process, with its threads running."""
    with core.app_context():
        desk = Desk(create_provider(settings), Relay(current_link()), Watchdog(core, settings))
    desk.relay.start()
    desk.watchdog.start()
    return desk


def write_reply(reply_id: str, desk: Desk) -> None:
    """Write the reply if it is there to be written; safe to call any number of times with the same id."""
    asked = time.monotonic()
    try:
        claim = claim_reply(reply_id, desk.name)
    except DATABASE_AWAY as away:
        log.warning("reply.not_claimed: %s; the sweeper brings it back, reply=%s", type(away).__name__, reply_id)
        return
    if claim is None:
        return
    run = Run(claim)
    run.leased(asked, current_settings().lease_seconds)
    write = desk.write_alone if claim.alone else None
    write_claimed(run, desk, write)


def write_claimed(run: Run, desk: Desk, write_alone: Callable[[Run], None] | None = None) -> None:
    """One attempt, from its claim to its end. The endings are in `shared/actions/`."""
    work.set(f"reply={run.claim.id} attempt={run.claim.attempt}")
    try:
        if write_alone:
            return write_alone(run)
        reach("after_claim")
        ending = _write(run, desk)
        _insist(lambda: complete_reply(run.claim, run.answer(ending)))
    except Superseded:
        log.info("reply.superseded: someone else ends it")
    except Drained:
        _end(lambda: release_reply(run.claim), run, WorkerLost())
    except ReplyError as error:
        _settle(run, error)
    except DATABASE_AWAY as error:
        _leave(error)
    except Exception:
        log.exception("reply.failed")
        _settle(run, ReplyFailed())


def _write(run: Run, desk: Desk) -> Ending:
    desk.watchdog.watch(run)
    try:
        prompt = _insist(lambda: build_context(run.claim), run)
        ending = _ask(run, prompt, desk)
    finally:
        desk.relay.forget(run)
        desk.watchdog.leave(run)
    if ending.finish_reason is None:
        raise ModelTruncated
    if not run.text.strip():
        raise EmptyReply
    return ending


def _ask(run: Run, prompt: Prompt, desk: Desk) -> Ending:
    """Once more at once, with the newest message alone, if the model finds the conversation too long."""
    try:
        return _stream(run, prompt, desk)
    except ContextTooLong:
        shorter = shortest(prompt)
        if run.size or shorter == prompt:
            raise
    log.warning("reply.shortened: %d earlier messages left out", len(prompt.messages) - len(shorter.messages))
    return _stream(run, shorter, desk)


def _stream(run: Run, prompt: Prompt, desk: Desk) -> Ending:
    try:
        run.check()
        with desk.provider.ask(prompt, run.cut_by, lambda: _show(run, desk)) as stream:
            for number, piece in enumerate(stream, 1):
                run.add(piece)
                reach("after_chunk", number)
                run.check()
                if run.full:
                    return Ending("length")
            ending = stream.ending
    except Exception:
        run.check()  # cutting it short shows as some error of the connection
        _show(run, desk)  # what came right before a failure was said, and is kept
        raise
    finally:
        run.cut_by(None)
    run.check()
    return ending


def _show(run: Run, desk: Desk) -> None:
    """Send on what has come since; what comes together with the end, the final event brings."""
    piece = run.take_unshown()
    if not piece:
        return
    if not run.shown:
        _insist(lambda: note_first_text(run.claim), run)
        run.shown = True
    desk.relay.add(run, piece)


def _settle(run: Run, error: ReplyError) -> None:
    """Give it back for another run, or fail it: for good once text was shown, or when the model wants too long."""
    log.warning("reply.%s: after %d characters", error.code, run.size)
    pause = _PAUSE if error.retry_after is None else error.retry_after
    may_run_again = error.retryable and not run.shown and pause <= _LONGEST_PAUSE
    _end(lambda: may_run_again and give_back(run.claim, pause), run, error)


def _end(give_away: Callable[[], bool], run: Run, error: ReplyError) -> None:
    """Have someone else run it, or fail it where that is not possible any more."""
    try:
        if not _insist(give_away):
            _insist(lambda: fail_reply(run.claim, error, run.answer(Ending())))
    except Superseded:
        log.info("reply.superseded: someone else ends it")
    except DATABASE_AWAY as away:
        _leave(away)


def _insist(step: Callable[[], T], run: Run | None = None) -> T:
    """Try a step again while the database is away, for a whole lease, but not once its run was cut short.

    The attempt guards it, so that a try that comes too late changes nothing.
    """
    deadline = time.monotonic() + current_settings().lease_seconds
    while True:
        try:
            return step()
        except DATABASE_AWAY:
            if time.monotonic() > deadline:
                raise
        time.sleep(_RETRY)
        if run:
            run.check()


def _leave(error: Exception) -> None:
    log.warning("reply.database_away: %s; its lease will lapse, and it runs again", type(error).__name__)
