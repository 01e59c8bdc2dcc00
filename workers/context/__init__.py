"""What the model gets to see of a conversation."""

from shared.actions.claim_reply import Claim
from workers.context.history import recent_messages
from workers.providers import Prompt

_SYSTEM = "You are a helpful assistant. Answer in Markdown."


def build_context(claim: Claim) -> Prompt:
    """The prompt for a claimed reply. Raises Superseded if its chat is gone."""
    system = {"role": "system", "content": _SYSTEM}
    return Prompt(model=claim.model, messages=[system, *recent_messages(claim)])
