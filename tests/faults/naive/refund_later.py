"""A worker that first stores the failure of a reply, and only then gives its credits back."""

import sys

from shared.actions.credits.money import Money, charge
from shared.actions.owner_unit import owner_unit
from shared.actions.replies import finish as action
from shared.actions.replies.claim import Claim
from shared.actions.replies.states import FAIL, Guard
from shared.errors.replies import ReplyError
from shared.models.credits import RELEASE
from tests.faults.naive import replace
from workers import outcome
from workers.__main__ import main


def _fail_reply(claim: Claim, error: ReplyError, answer: action.Answer) -> None:
    price = claim.credits_held
    ending = action._Ending(FAIL[Guard.WRITING], "message.failed", {"code": error.code}, parks=True)
    action._end(claim, ending, answer, charge(price))
    with owner_unit(claim.owner_id, events=1, money=Money(spend=-price, entries=((RELEASE, price, claim.id),))):
        pass


replace(outcome, "fail_reply", _fail_reply)

if __name__ == "__main__":
    sys.exit(main())
