"""Builds the prompt: the part of a conversation that the model gets."""

from dataclasses import replace

from shared.actions.replies.claim import Claim
from shared.core import current_settings
from workers.context.budget import estimated_tokens, newest_that_fit
from workers.context.history import recent_messages
from workers.providers import Prompt

# The first message that the model gets. A chat's own instructions replace it (D-953).
_INSTRUCTIONS = "You are a helpful assistant. Answer in Markdown."


def build_context(claim: Claim) -> Prompt:
    """The prompt for a claimed reply, within HOLDFAST_CONTEXT_TOKENS. Raises Superseded if its question is gone.

    The instructions are always whole, like the question. The messages before the question share what is left.
    """
    history = recent_messages(claim)
    system = {"role": "system", "content": history.instructions or _INSTRUCTIONS}
    room = current_settings().context_tokens - estimated_tokens(system)
    return Prompt(model=claim.model, messages=[system, *newest_that_fit(history.messages, room)])


def shortest(prompt: Prompt) -> Prompt:
    """The same prompt with the newest message alone, without those before it (D-75)."""
    return replace(prompt, messages=[prompt.messages[0], prompt.messages[-1]])
