"""One attempt at a reply: claim, build the context, stream, settle. Each step is one line.

The provider's stream yields a piece of text, and `run.add()` cleans and keeps the piece. Before the provider waits for
more, it calls `_show()`, which hands the new text to the relay. The relay's next trip takes the text to Redis and the
tabs.
"""

import logging
import os
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from flask import Flask

from shared.actions.queue.hand_over import hand_over
from shared.actions.replies.claim import Claim, NoRoom, claim_reply
from shared.actions.replies.finish import Superseded, note_first_text
from shared.core import current_link, current_settings
from shared.database.retries import DATABASE_AWAY
from shared.errors.replies import ContextTooLong, EmptyReply, ModelTruncated, ReplyError, ReplyFailed
from shared.failpoints import reach
from shared.logs import work
from shared.redis.queues import FURTHER
from shared.settings import Settings
from workers.context import build_context, shortest
from workers.insist import insist
from workers.outcome import Completed, Failed, Left, Outcome, Released, settle
from workers.providers import Ending, Prompt, Provider, create_provider
from workers.relay import Relay
from workers.run import Run
from workers.watchdog import Drained, Watchdog

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Desk:
    """The tools with which every reply of this process is written."""

    provider: Provider
    relay: Relay
    watchdog: Watchdog
    #: Writes a reply in a process of its own (D-13).
    write_alone: Callable[[Run], None] | None = None
    name: str = f"{socket.gethostname()[:40]}:{os.getpid()}"


def create_desk(core: Flask, settings: Settings) -> Desk:
    """Make the desk of this process, and start its threads."""
    with core.app_context():
        desk = Desk(create_provider(settings), Relay(current_link()), Watchdog(core, settings))
    desk.relay.start()
    desk.watchdog.start()
    return desk


def write_reply(reply_id: str, desk: Desk, *, roomy: bool = True) -> Claim | None:
    """Write the reply if this worker can claim it. A repeated call with the same id does no harm.

    If only the room is missing, the reply goes to the queue of further replies. Returns the claim of a written reply.
    """
    asked = time.monotonic()
    try:
        claim = claim_reply(reply_id, desk.name, roomy)
    except NoRoom:
        hand_over([reply_id], FURTHER)
        return None
    except DATABASE_AWAY as away:
        log.warning("reply.not_claimed: %s; the sweeper hands over again, reply=%s", type(away).__name__, reply_id)
        return None
    if claim:
        run = Run(claim)
        run.leased(asked, current_settings().lease_seconds)
        write_claimed(run, desk, desk.write_alone if claim.alone else None)
    return claim


def write_claimed(run: Run, desk: Desk, write_alone: Callable[[Run], None] | None = None) -> None:
    """Run one attempt, from its claim to its end."""
    work.set(f"reply={run.claim.id} attempt={run.claim.attempt}")
    outcome = _attempt(run, desk, write_alone)
    if outcome:
        settle(run, outcome)


def _attempt(run: Run, desk: Desk, write_alone: Callable[[Run], None] | None) -> Outcome | None:
    """How the attempt ended; None if another process wrote the reply and settled it."""
    try:
        if write_alone:
            write_alone(run)
            return None
        reach("after_claim")
        return Completed(_write(run, desk))
    except (Superseded, *DATABASE_AWAY) as error:
        return Left(error)
    except Drained:
        return Released()
    except ReplyError as error:
        return Failed(error)
    except Exception:
        log.exception("reply.failed")
        return Failed(ReplyFailed())


def _write(run: Run, desk: Desk) -> Ending:
    desk.watchdog.watch(run)
    try:
        prompt = insist(lambda: build_context(run.claim), run)
        ending = _ask(run, prompt, desk)
    finally:
        desk.relay.forget(run)
        desk.watchdog.leave(run)
    if ending.finish_reason is None:
        raise ModelTruncated
    if not run.visible:
        raise EmptyReply
    return ending


def _ask(run: Run, prompt: Prompt, desk: Desk) -> Ending:
    """Ask the model. If the conversation is too long, ask once more for the newest message alone (D-75)."""
    try:
        return _stream(run, prompt, desk)
    except ContextTooLong:
        shorter = shortest(prompt)
        if run.size or shorter == prompt:
            raise
    log.warning("reply.shortened: %d earlier messages are left out", len(prompt.messages) - len(shorter.messages))
    return _stream(run, shorter, desk)


def _stream(run: Run, prompt: Prompt, desk: Desk) -> Ending:
    show = partial(_show, run, desk)
    try:
        run.check()
        with desk.provider.ask(prompt, run.cut_by, show) as stream:
            for number, piece in enumerate(stream, 1):
                run.add(piece)
                reach("after_chunk", number)
                run.check()
                if run.full:
                    return Ending("length")
            ending = stream.ending
    except Exception:
        run.check()  # a cut ends the connection with some error; this raises the reason of the cut
        show()  # the text that came right before the failure is shown and kept
        raise
    finally:
        run.cut_by(None)
    run.check()
    return ending


def _show(run: Run, desk: Desk) -> None:
    """Hand new text to the relay. The final event brings the text that comes together with the end (D-35)."""
    piece = run.take_unshown()
    if not piece:
        return
    if not run.shown:
        insist(lambda: note_first_text(run.claim), run)
        run.shown = True
    desk.relay.add(run, piece)
