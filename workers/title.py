"""Makes the title of a chat by one cheap request to a model. Any failure leaves the chat as it is.

Nothing repeats the job. The chat's next completed reply asks again, a few times at most (D-162).
"""

import logging
import re
import threading

from shared.actions.chats.title import Question, first_question, set_title
from shared.core import current_settings
from shared.database.retries import DATABASE_AWAY
from shared.errors.replies import ModelTimeout, ReplyError
from shared.logs import work
from shared.text import PieceCleaner, composed, one_line, shows_nothing
from workers.cut import Cuttable
from workers.providers import Prompt, Provider, Purpose

log = logging.getLogger(__name__)

# Seconds that the model may take. In a worker with one thread, no reply is written meanwhile (D-221).
_SECONDS, _SECONDS_ALONE = 15.0, 3.0
# Characters of its answer that are read.
_MOST_READ = 2_000
# Characters of a title.
_LONGEST = 80
_TASK = (
    "Write a title for a conversation that begins with the message of the user. Answer with the title alone: at most"
    " six words, in the language of the message, without quotation marks. Do not answer the message."
)
# Text of a model that thinks aloud first, words before the title, and marks around it.
_THOUGHTS = re.compile(r"<think>.*?(</think>|\Z)", re.DOTALL)
_LABEL = re.compile(r"^(#+\s+|title\s*:\s*)", re.IGNORECASE)
_MARKS = " \"'`*_\u201c\u201d\u201e\u2018\u2019\u00ab\u00bb"


def write_title(chat_id: str, provider: Provider) -> None:
    """Give the chat a title, if it has none yet. A repeated call does no harm."""
    work.set(f"chat={chat_id}")
    try:
        question = first_question(chat_id)
        title = question and as_title(_ask(question, provider))
        if question and title:
            set_title(question, title)
    except ReplyError as error:
        log.info("title.%s: the chat keeps its title", error.code)
    except DATABASE_AWAY as away:
        log.warning("title.database_away: %s; the chat keeps its title", type(away).__name__)
    except Exception:
        log.exception("title.failed: the chat keeps its title")


def _ask(question: Question, provider: Provider) -> str:
    """The model's answer, as far as it came within the time."""
    said = [{"role": "system", "content": _TASK}, {"role": "user", "content": question.content}]
    prompt = Prompt(_model_for(question), said, purpose=Purpose.TITLE)
    request, cleaner, text = Cuttable(), PieceCleaner(), ""
    seconds = _SECONDS if current_settings().worker_threads > 1 else _SECONDS_ALONE
    timer = threading.Timer(seconds, request.cut_short, [ModelTimeout()])
    timer.daemon = True
    timer.start()
    try:
        with provider.ask(prompt, request.cut_by, lambda: None) as stream:
            for piece in stream:
                text += cleaner.clean(piece)
                if len(text) >= _MOST_READ:
                    break
    except Exception:
        request.check()  # a cut ends the connection with some error; this raises the reason of the cut
        raise
    finally:
        timer.cancel()
        request.cut_by(None)
    return text


def _model_for(question: Question) -> str:
    """HOLDFAST_TITLE_MODEL, else the model of the reply. A provider may tell that one by a name that it does not take.

    Then the model of the chat counts, and at last the default.
    """
    settings = current_settings()
    choices = (question.answered_by, question.settings.get("model"))
    return settings.title_model or next((one for one in choices if one in settings.models), settings.model)


def as_title(answer: str) -> str | None:
    """The first line of the answer that shows something, without marks around it, and cut; None if there is none."""
    lines = _THOUGHTS.sub("", composed(answer)).splitlines()
    titles = (_LABEL.sub("", one_line(line).strip(_MARKS)).strip(_MARKS) for line in lines)
    title = next((title for title in titles if not shows_nothing(title)), None)
    if title is None or len(title) <= _LONGEST:
        return title
    return title[: _LONGEST - 1].rsplit(" ", 1)[0] + "…"
