"""How an attempt at a reply ends: one closed set of outcomes, and settle(), which turns each into an ending."""

import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from shared.actions.replies.claim import Claim
from shared.actions.replies.finish import Superseded, complete_reply, fail_reply
from shared.actions.replies.leases import text_may_be_read
from shared.actions.replies.release import give_back, release_reply
from shared.actions.replies.states import LONGEST_PAUSE
from shared.core import current_link
from shared.database.retries import DATABASE_AWAY
from shared.errors.replies import ReplyError, ReplyFailed, WorkerLost
from shared.redis import live_text
from workers.insist import insist
from workers.providers import Ending
from workers.run import Run

log = logging.getLogger(__name__)

# Seconds before another run when the model named no pause.
_PAUSE = 2.0


@dataclass(frozen=True)
class Completed:
    """The model's answer is whole."""

    ending: Ending


@dataclass(frozen=True)
class Failed:
    """The attempt went wrong."""

    error: ReplyError


@dataclass(frozen=True)
class Released:
    """This worker ends before the reply is whole. Another worker runs the reply again."""


@dataclass(frozen=True)
class Left:
    """Another program ends the reply, or the lease will lapse. This attempt publishes and stores nothing more.

    `error` is Superseded, or one of DATABASE_AWAY.
    """

    error: Exception


#: Every way in which an attempt ends.
Outcome = Completed | Failed | Released | Left


def settle(run: Run, outcome: Outcome) -> None:
    """End the reply as its attempt ended, or leave the reply to the program that owns it now."""
    try:
        match outcome:
            case Completed(ending):
                _complete(run, ending)
            case Failed(error):
                _fail(run, error)
            case Released():
                _or_fail(run, WorkerLost(), lambda: release_reply(run.claim))
            case Left(error):
                raise error
    except Superseded:
        log.info("reply.superseded: this attempt lost the reply, or could not renew its lease; it stores nothing more")
        _drop_text(run.claim)
    except DATABASE_AWAY as away:
        log.warning("reply.database_away: %s; the lease will lapse, and the reply runs again", type(away).__name__)


def _drop_text(claim: Claim) -> None:
    """Drop the live text if nobody reads it any more. The row knows that; the worker's clock does not (D-201)."""
    with suppress(*DATABASE_AWAY):
        if not text_may_be_read(claim):
            live_text.drop(current_link(), claim.id, claim.attempt)


def _complete(run: Run, ending: Ending) -> None:
    try:
        insist(lambda: complete_reply(run.claim, run.answer(ending)))
    except (Superseded, *DATABASE_AWAY):
        raise
    except Exception:
        log.exception("reply.failed")
        _fail(run, ReplyFailed())


def _fail(run: Run, error: ReplyError) -> None:
    """Let the reply run again later, or fail it.

    The reply fails if its text was shown or the error is final. The reply also fails if the model asks for
    too long a pause.
    """
    log.warning("reply.%s: the attempt failed after %d characters", error.code, run.size)
    pause = _PAUSE if error.retry_after is None else error.retry_after
    may_run_again = error.retryable and not run.shown and pause <= LONGEST_PAUSE
    _or_fail(run, error, lambda: may_run_again and give_back(run.claim, pause))


def _or_fail(run: Run, error: ReplyError, run_again: Callable[[], bool]) -> None:
    if not insist(run_again):
        insist(lambda: fail_reply(run.claim, error, run.answer(Ending())))
