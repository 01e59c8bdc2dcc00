"""Give a reply back because its worker ends, not because anything went wrong: another one runs it again at once."""

from sqlalchemy import bindparam, case, update

from shared.actions.replies.claim import ALONE, Claim
from shared.actions.replies.finish import WRITING, wait_again
from shared.database.retries import retried
from shared.models.message import Status, messages

# So many drains are nobody's fault. A reply that meets yet another counts it as a failure: it may be what stops them.
_HARMLESS = 2

_failures = messages.c.failures + case((messages.c.drains < _HARMLESS, 0), else_=1)
# A worker has died with it before: no drain makes it harmless to others, or others to it.
_if_alone = case((messages.c.claimed_by.endswith(ALONE), messages.c.claimed_by), else_=None)
_release = (
    update(messages)
    .where(messages.c.id == bindparam("reply_id"), WRITING, _failures < bindparam("most_failures"))
    .values(
        status=Status.PENDING,
        drains=messages.c.drains + 1,
        failures=_failures,
        lease_until=None,
        claimed_by=_if_alone,
        dispatched_at=None,
        updated_at=bindparam("at"),
        seq=bindparam("new_seq"),
    )
    .returning(*messages.c)
)


@retried
def release_reply(claim: Claim) -> bool:
    """Let it run again at once, also if text was shown; False if its failures are used up or it isn't ours any more."""
    return wait_again(claim, _release, {})
