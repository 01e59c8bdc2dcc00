"""The catalogue of events: no undeclared field leaves, and messages carry the same fields as in REST."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import msgspec
import pytest

from shared.models import ChatSession, Message
from shared.models.user import Account
from shared.wire.events import CATALOGUE, Event, UndeclaredEvent, chat_event, credits_event, encode, message_event
from shared.wire.messages import LiveMessageOut


def a_message(content: str = "Hello", **columns: Any) -> Message:
    now = datetime.now(UTC)
    common = {"id": str(uuid4()), "owner_id": "u", "message_type": "ai_report", "status": "completed", "seq": 7}
    money = {"credits_held": 3, "credits_charged": 3}
    return Message(**{**common, **money, "content": content, "created_at": now, **columns})


def test_an_event_is_encoded_for_its_user() -> None:
    assert msgspec.json.decode(encode(Event("u", "resync", {}))) == ["u", "resync", {}]


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("message.exploded", {}),
        ("", {}),
        ("resync", {"seq": 1}),
        ("chat.deleted", {"id": "x", "seq": 1, "title": "Secret"}),
        ("message.created", {"passwordHash": "x"}),
    ],
)
def test_what_the_catalogue_does_not_list_is_refused(name: str, data: dict[str, Any]) -> None:
    with pytest.raises(UndeclaredEvent):
        encode(Event("u", name, data))


def test_every_durable_event_has_a_seq_and_no_fleeting_one_has() -> None:
    assert [name for name, kind in CATALOGUE.items() if "seq" not in kind.fields] == [
        "message.delta",
        "resync",
        "socket.closing",
    ]


def test_a_message_goes_out_as_rest_shows_it() -> None:
    message = a_message()
    event = message_event("message.completed", message, 4)
    assert (event.user_id, event.name) == ("u", "message.completed")
    as_shown = LiveMessageOut().dump(message)
    assert as_shown.pop("queue") is None  # the place in the queue would soon be wrong (D-156)
    assert event.data == as_shown | {"nextIndex": 4}
    encode(event)


@pytest.mark.parametrize(("content", "omitted"), [("x" * 8192, False), ("x" * 8193, True), ("😀" * 2049, True)])
def test_content_above_8_kb_is_left_out(content: str, omitted: bool) -> None:
    data = message_event("message.completed", a_message(content)).data
    assert (data.get("contentOmitted", False), "content" not in data) == (omitted, omitted)


def test_a_failed_reply_says_why_and_what_to_do() -> None:
    message = a_message(status="failed", message_type="ai_error", error_code="rate_limited", credits_charged=0)
    data = message_event("message.failed", message).data
    assert data["error"].keys() == {"code", "detail", "retryable"}
    assert (data["error"]["code"], data["role"]) == ("rate_limited", "assistant")
    assert data["credits"] == {"held": 0, "charged": 0, "released": 3}


def test_chats_and_credits_are_in_the_catalogue() -> None:
    now = datetime.now(UTC)
    times = {"created_at": now, "updated_at": now, "last_active_at": now}
    chat = ChatSession(id="c", owner_id="u", seq=2, seen_seq=1, settings={}, **times)
    assert chat_event("chat.updated", chat).data["unread"] is True
    encode(chat_event("chat.updated", chat))
    assert credits_event(Account("u", 9, 3, 5), 5).data == {"balance": 9, "held": 3, "seq": 5}


def test_an_account_hands_out_its_newest_numbers() -> None:
    assert Account("u", 9, 3, 12).numbers(3) == [10, 11, 12]
