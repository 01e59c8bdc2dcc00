"""Builds the prompt: the part of a conversation that the model gets."""

from dataclasses import replace

from shared.actions.replies.claim import Claim
from shared.core import current_settings
from shared.models.status import ROLES, MessageType
from workers.context.budget import estimated_tokens, newest_that_fit
from workers.context.history import recent_messages
from workers.providers import GO_ON, Prompt

# The first message that the model gets. A chat's own instructions replace it (D-161).
_INSTRUCTIONS = "You are a helpful assistant. Answer in Markdown."
_GO_ON = {"role": "user", "content": GO_ON}


def build_context(claim: Claim) -> Prompt:
    """The prompt for a claimed reply, within HOLDFAST_CONTEXT_TOKENS. Raises Superseded if its question is gone.

    The instructions are always whole, like the question. The messages before the question share what is left.
    """
    history = recent_messages(claim)
    system = {"role": "system", "content": history.instructions or _INSTRUCTIONS}
    room = current_settings().context_tokens - estimated_tokens(system)
    begun = _begun(claim.kept, room // 2)
    room -= sum(map(estimated_tokens, begun))
    said = newest_that_fit(history.messages, room)
    return Prompt(model=claim.model, messages=[system, *said, *begun], newest=1 + len(begun))


def shortest(prompt: Prompt) -> Prompt:
    """The same prompt with the newest message alone, without those before it (D-75)."""
    return replace(prompt, messages=[prompt.messages[0], *prompt.messages[-prompt.newest :]])


def _begun(kept: str, tokens: int) -> list[dict[str, str]]:
    """The turns after the question if the reply continues a text: the end of the text that fits, and "go on"."""
    if not kept:
        return []
    turn = {"role": ROLES[MessageType.AI_REPORT], "content": kept}
    while estimated_tokens(turn) > tokens and len(turn["content"]) > 1:
        turn["content"] = turn["content"][len(turn["content"]) // 2 :]
    return [turn, _GO_ON]
