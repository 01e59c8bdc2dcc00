"""A worker that gives the credits of a failed reply back once it has stored that it failed."""

import sys

from shared.actions.replies import finish as action
from shared.actions.replies.claim import Claim
from shared.database.units import write_unit
from shared.errors.replies import ReplyError
from shared.models.credits import RELEASE, record
from shared.models.user import move
from tests.faults.naive import replace
from workers import reply
from workers.__main__ import main


def _fail_reply(claim: Claim, error: ReplyError, answer: action.Answer) -> None:
    ending = action._fail_when[action.WRITING]
    action._finish(claim, ending, "message.failed", answer, {"code": error.code}, release=False, park=True)
    with write_unit():
        move(claim.owner_id, events=1, spend=-claim.credits_held)
        record(claim.owner_id, RELEASE, claim.credits_held, claim.id)


replace(reply, "fail_reply", _fail_reply)

if __name__ == "__main__":
    sys.exit(main())
