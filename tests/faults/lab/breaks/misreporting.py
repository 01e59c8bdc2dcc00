"""Ways to tamper with the evidence of what people were told: events, shown rows, answers and logs."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from typing import Any

from tests.faults.lab.breaks.tampering import somebody_else, the_question, the_reply
from tests.faults.lab.evidence import Evidence
from tests.services.sockets import Heard


def hear(seen: Evidence, name: str, **data: Any) -> None:
    seen.heard[the_reply(seen).owner_id].append(Heard(name, data))


def foreign_event(seen: Evidence) -> None:
    delta = {"messageId": the_reply(seen).id, "attempt": 1, "index": 0, "text": "word0@1 "}
    seen.heard[somebody_else(seen)].append(Heard("message.delta", delta))


def unshown(seen: Evidence) -> None:
    del seen.shown[the_reply(seen).owner_id][the_reply(seen).id]


def untold(seen: Evidence) -> None:
    del seen.synced[the_reply(seen).owner_id].rows[the_reply(seen).id]


def told_too_early(seen: Evidence) -> None:
    seen.synced[the_reply(seen).owner_id].rows[the_reply(seen).id]["status"] = "running"


def foreign_chat(seen: Evidence) -> None:
    chat = the_reply(seen).chat_session_id
    seen.heard[somebody_else(seen)].append(Heard("chat.deleted", {"id": chat, "seq": 1}))


def foreign_money(seen: Evidence) -> None:
    own = next(event for event in seen.heard[the_reply(seen).owner_id] if event.name == "credits.changed")
    seen.heard[somebody_else(seen)].append(Heard("credits.changed", own.data | {"balance": own.data["balance"] - 1}))


def second_use_of_a_key(seen: Evidence) -> None:
    outcome = deepcopy(next(outcome for outcome in seen.outcomes if outcome.key == "once"))
    outcome.body["message"]["id"] = next(m for m in seen.messages if m != outcome.message_id)
    seen.outcomes.append(outcome)


def server_error(seen: Evidence) -> None:
    outcome = deepcopy(seen.outcomes[0])
    outcome.status, outcome.body = 500, None
    seen.outcomes.append(outcome)


def unavailable(seen: Evidence) -> None:
    seen.outcomes.append(replace(seen.outcomes[0], status=503, body=None, retry_after=None))


def one_message_for_two_posts(seen: Evidence) -> None:
    seen.outcomes.append(replace(seen.outcomes[1], key="another"))


def piece(seen: Evidence, attempt: int, text: str = "word0@1 ") -> None:
    hear(seen, "message.delta", messageId=the_reply(seen).id, attempt=attempt, index=0, text=text)


def earlier_piece(seen: Evidence) -> None:
    hear(seen, "message.started", id=the_reply(seen).id, attempt=3)
    piece(seen, attempt=2)


def shown_to_another(seen: Evidence) -> None:
    question = the_question(seen)
    seen.shown[somebody_else(seen)][question.id] = seen.shown[question.owner_id][question.id]


def another_price_shown(seen: Evidence) -> None:
    reply = the_reply(seen)
    seen.shown[reply.owner_id][reply.id]["credits"]["charged"] = 0


def another_text_told(seen: Evidence) -> None:
    ends = [event for event in seen.heard[the_reply(seen).owner_id] if event.name == "message.completed"]
    ends[0].data["content"] = "word0@1 "


def answered_with_anothers(seen: Evidence) -> None:
    own = next(outcome for outcome in seen.outcomes if outcome.user_id == the_reply(seen).owner_id)
    seen.other_calls.append(replace(own, op="rename", user_id=somebody_else(seen), body=None))


def log(text: str) -> Callable[[Evidence], None]:
    def write(seen: Evidence) -> None:
        seen.logs += text or seen.outcomes[0].nonce

    return write
