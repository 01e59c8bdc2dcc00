"""How a model is asked: the contract that every provider keeps, and the choice between them."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from shared.settings import Settings


@dataclass(frozen=True)
class Prompt:
    """What the model gets to see: `{"role", "content"}` messages, oldest first."""

    model: str
    messages: list[dict[str, str]]


@dataclass
class Ending:
    """What the model says of its answer, as far as it has. Without a finish reason the answer is not whole."""

    finish_reason: str | None = None
    model: str | None = None
    tokens_in: int | None = None
    tokens_out: int | None = None


#: Told by a provider, as soon as there is something to end and whenever that changes, how another thread ends it:
#: at once, with whatever error that causes in the thread that asked.
CutBy = Callable[[Callable[[], None]], None]


#: Called by a provider, in the thread that iterates, when all that has come was yielded and more has to be waited for,
#: until there is a finish reason. What it raises ends the stream.
Waits = Callable[[], None]


class ModelStream(Protocol):
    """An answer on its way: iterate for its text. Errors are ReplyErrors. `ending` is filled in on the way."""

    ending: Ending

    def __iter__(self) -> Iterator[str]: ...


class Provider(Protocol):
    """One way to ask a model."""

    def ask(self, prompt: Prompt, cut_by: CutBy, waits: Waits) -> AbstractContextManager[ModelStream]:
        """Send the prompt; the stream is open inside the context, and ends with it. Raises ReplyError."""


def create_provider(settings: Settings) -> Provider:
    """The one that the settings choose. Imported here, because openai costs 40 MB that offline nobody needs."""
    if settings.provider == "openai":
        from workers.providers.openai_client import OpenAIProvider

        return OpenAIProvider(settings)
    from workers.providers.scripted import ScriptedProvider

    return ScriptedProvider(settings.scripted_words_per_second)
