"""G6: the stored and shown text of a reply is from one attempt of the model. A completed reply has all of that text."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import count, islice, takewhile
from typing import Any

from shared.text import shows_nothing
from tests.fake_request import Request
from tests.fake_script import Script, sign
from tests.faults.lab.checker.rules import Rules
from tests.faults.lab.checker.violation import UNEXPECTED, Violation
from tests.faults.lab.evidence import Evidence


def g6_completed_means_complete(seen: Evidence, rules: Rules) -> Iterator[Violation]:
    nonces = seen.nonces()
    questions = {reply.reply_to: nonces[reply.id] for reply in seen.replies}
    twins = Counter(questions.values())  # a question posted twice without a key is stored twice
    for reply in seen.replies:
        if reply.deleted_at is None:
            # otherwise the text may be the twin's, or that of an attempt beside the last one
            only_last = twins[nonces[reply.id]] == 1 and not rules.overlap
            nonce = nonces[reply.id]
            requests = seen.asked_for(reply, nonce) if only_last else seen.asked(nonce)
            judge = _completed if reply.status == "completed" else _broken_off
            yield from judge(reply, requests, requests[-1:] if only_last else requests)
    for heard in seen.heard.values():
        yield from _live_text(seen, nonces, heard)


def _completed(reply: Any, requests: list[Request], last: list[Request]) -> Iterator[Violation]:
    if shows_nothing(_own(reply)) or not reply.finish_reason or reply.attempt < 1:
        yield Violation("G6", UNEXPECTED, f"completed reply {reply.id} has no text, finish reason or attempt")
    if not requests:
        yield Violation("G6", UNEXPECTED, f"reply {reply.id} is completed, but the model was never asked")
    elif not any(_is_whole_answer(reply, request) for request in requests):
        yield Violation("G6", UNEXPECTED, f"reply {reply.id} isn't one whole answer: {reply.content[:80]!r}")
    elif not any(_is_whole_answer(reply, request) for request in last):
        yield Violation("G6", UNEXPECTED, f"reply {reply.id} isn't what its last attempt was told")


def _is_whole_answer(reply: Any, request: Request) -> bool:
    """Whether the reply is the whole answer, or only its beginning with the finish reason `length`."""
    if request.ending == "finished":
        return (_own(reply), reply.finish_reason) == (said(request), _script(request).finish)
    return reply.finish_reason == "length" and said(request).startswith(_own(reply))


def _own(reply: Any) -> str:
    """The text of the reply without the one that it continues."""
    return str(reply.content[reply.kept :])


def _broken_off(reply: Any, requests: list[Request], last: list[Request]) -> Iterator[Violation]:
    own = _own(reply)
    if own and not any(said(request).startswith(own) for request in last):
        yield Violation("G6", UNEXPECTED, f"nobody said this of {reply.status} {reply.id}: {reply.content[:80]!r}")


def _live_text(seen: Evidence, nonces: dict[str, str], heard: list[Any]) -> Iterator[Violation]:
    """The deltas of one attempt, up to the first missing one, are the beginning of an answer."""
    pieces: dict[tuple[str, int], dict[int, str]] = defaultdict(dict)
    for event in heard:
        if event.name == "message.delta" and event.data["messageId"] in nonces:
            pieces[event.data["messageId"], event.data["attempt"]][event.data["index"]] = event.data["text"]
    for (reply_id, attempt), texts in pieces.items():
        first = 1 if seen.messages[reply_id].continues else 0  # the kept text is told with the start
        text = "".join(texts[index] for index in takewhile(texts.__contains__, count(first)))
        requests = seen.asked(nonces[reply_id])
        if requests and not any(said(request).startswith(text) for request in requests):
            yield Violation("G6", UNEXPECTED, f"nobody said what attempt {attempt} of {reply_id} showed: {text[:80]!r}")


def _script(request: Request) -> Script:
    script = Script.parse(request.model, request.question)
    return script if request.number <= script.times else script.without_fault()


def said(request: Request) -> str:
    """All text that the model has sent in answer to this request."""
    script = _script(request)
    pieces = islice(script.pieces(request.question), request.sent)
    return "".join(sign(piece, request.number) if script.signed else piece for piece in pieces)
