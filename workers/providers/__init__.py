"""Asking a model: the contract of every provider, and the choice between them."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from shared.settings import Settings

#: The last message of a prompt whose answer goes on from the one before.
GO_ON = "Continue your answer exactly where it ends, without a word about that. Repeat none of it."


class Purpose(Enum):
    """The use of an answer. Only the offline model makes a difference."""

    REPLY = "reply"
    TITLE = "title"


@dataclass(frozen=True)
class Prompt:
    """The messages that the model gets, as `{"role", "content"}`, oldest first."""

    model: str
    messages: list[dict[str, str]]
    #: How many messages at the end belong together: the question, and with it the begun answer to go on from.
    newest: int = 1
    purpose: Purpose = Purpose.REPLY


@dataclass
class Ending:
    """The model's remarks on its answer, as far as they have come. Without a finish reason the answer is not whole."""

    finish_reason: str | None = None
    model: str | None = None
    tokens_in: int | None = None
    tokens_out: int | None = None


#: A provider calls this with a function by which another thread can end the request at once. It calls again whenever
#: the connection changes. Ending the request may cause any error in the thread that asked.
CutBy = Callable[[Callable[[], None]], None]


#: A provider calls this each time before it waits for more text, in the thread that iterates. It has then yielded all
#: text so far. It stops calling once there is a finish reason. An exception from this call ends the stream.
BeforeWait = Callable[[], None]


class ModelStream(Protocol):
    """An answer that is still arriving. Iterate over it for its text. It fills in `ending` meanwhile.

    Its errors are ReplyErrors.
    """

    ending: Ending

    def __iter__(self) -> Iterator[str]: ...


class Provider(Protocol):
    """One way to ask a model."""

    def ask(self, prompt: Prompt, cut_by: CutBy, before_wait: BeforeWait) -> AbstractContextManager[ModelStream]:
        """Send the prompt. The stream is open inside the context, and ends with it. Raises ReplyError."""


def create_provider(settings: Settings) -> Provider:
    """The provider that the settings choose. It is imported here, because openai takes 40 MB even if it is not used."""
    if settings.provider == "openai":
        from workers.providers.openai_client import OpenAIProvider

        return OpenAIProvider(settings)
    from workers.providers.scripted import ScriptedProvider

    return ScriptedProvider(settings.scripted_words_per_second)
