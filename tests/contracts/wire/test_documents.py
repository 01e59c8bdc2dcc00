"""The documents follow from the code: the errors of a view, its name, and the rules of each field."""

import functools
import re
from typing import Any
from uuid import UUID

import pytest
from marshmallow import ValidationError

from api.documents.asyncapi import asyncapi
from api.documents.openapi import operation_id
from api.documents.reach import errors_of
from api.http.blueprint import _by_field
from shared.errors import requests
from shared.wire import chats
from shared.wire.accounts import SignUpIn
from shared.wire.base import Flag, FlagText, Whole, WholeText
from shared.wire.cursors import Cursor, decode_cursor, encode_cursor
from shared.wire.events import CATALOGUE


class Thing:
    @property
    def part(self) -> None:
        raise requests.NotFound

    @classmethod
    def make(cls) -> None:
        raise requests.Forbidden


def direct() -> None:
    raise requests.EmailTaken


def through_a_function() -> None:
    direct()


def through_a_class() -> None:
    Thing()


def inside_a_function() -> list[None]:
    return [direct() for _ in range(3)]


@functools.wraps(direct)
def decorated() -> None:
    raise requests.NotAReply


@pytest.mark.parametrize(
    ("view", "found"),
    [
        (direct, {requests.EmailTaken}),
        (through_a_function, {requests.EmailTaken}),
        (through_a_class, {requests.NotFound, requests.Forbidden}),
        (inside_a_function, {requests.EmailTaken}),
        (decorated, {requests.EmailTaken, requests.NotAReply}),
    ],
)
def test_each_error_that_code_can_raise_is_found(
    view: Any, found: set[type[Exception]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.documents.reach._OURS", ("shared.", __name__))
    assert errors_of(view) == found


def test_what_only_another_route_can_answer_is_not_listed(document: dict[str, Any]) -> None:
    listed = {name: set(item["get"]["responses"]) for name, item in document["paths"].items() if "get" in item}
    assert "402" not in listed["/chats"]
    assert "401" not in listed["/config"]
    assert {"401", "403", "404", "429", "503"} <= listed["/chats/{sessionId}"]


@pytest.mark.parametrize(
    ("group", "view", "name"),
    [
        ("chats", "get", "getChat"),
        ("chats", "list_chats", "listChats"),
        ("messages", "patch", "updateMessage"),
        ("messages", "continue_", "continueMessage"),
        ("auth", "sign_up", "signUp"),
    ],
)
def test_an_operation_is_named_by_its_view(group: str, view: str, name: str) -> None:
    assert operation_id(group, view) == name


def test_every_event_is_a_message_with_an_example() -> None:
    messages = asyncapi()["components"]["messages"]
    assert messages.keys() >= CATALOGUE.keys()
    for name, kind in CATALOGUE.items():
        assert messages[name]["examples"][0]["payload"].keys() <= kind.fields


@pytest.mark.parametrize("value", [7, 7.0, 4122.0, 1e3])
def test_json_knows_one_kind_of_whole_number(value: float) -> None:
    read = Whole().deserialize(value)
    assert (read, type(read)) == (value, int)


@pytest.mark.parametrize("value", ["7", 7.5, True, None, [7], float("inf"), float("nan")])
def test_no_other_value_is_a_whole_number(value: Any) -> None:
    with pytest.raises(ValidationError):
        Whole().deserialize(value)


def test_a_query_has_its_numbers_and_flags_as_words() -> None:
    assert [WholeText().deserialize(text) for text in ("7", "-7", "50.0")] == [7, -7, 50]
    assert [FlagText().deserialize(text) for text in ("true", "false")] == [True, False]
    assert [Flag().deserialize(value) for value in (True, False)] == [True, False]
    for field, text in [
        (WholeText(), ""),
        (WholeText(), "7.5"),
        (WholeText(), "1e2"),
        (FlagText(), "yes"),
        (Flag(), "true"),
        (Flag(), 1),
    ]:
        with pytest.raises(ValidationError):
            field.deserialize(text)


@pytest.mark.parametrize("kinds", [[int], [UUID], [float, int, UUID]])
def test_each_text_of_the_stated_form_is_a_cursor(kinds: list[type]) -> None:
    length = int(re.findall(r"\d+", Cursor(*kinds).says["pattern"])[-1])
    for letter in "A7_-z":
        text = letter * length
        assert Cursor(*kinds).deserialize(text) == text
        again = encode_cursor(decode_cursor(text, kinds), kinds)
        assert len(again) == length
    with pytest.raises(ValidationError):
        Cursor(*kinds).deserialize("A" * (length - 1) + "\n")


@pytest.mark.parametrize("text", ["", " ", "\u2800", "\u200b\u3164", "\t\n"])
def test_the_stated_pattern_refuses_what_shows_nothing(text: str) -> None:
    pattern = chats.not_blank.says["pattern"]  # type: ignore[attr-defined]
    assert re.search(pattern, text) is None
    assert re.search(pattern, f"{text}é")


@pytest.mark.parametrize("email", ["ada@example.org", " a@b ", "é@例え.jp", "a b@c", "@b", "a@b@c", "a@", "a\u200b@b"])
def test_the_stated_pattern_of_an_email_is_the_rule(email: str) -> None:
    stated = re.search(SignUpIn().fields["email"].says["pattern"], email) is not None  # type: ignore[attr-defined]
    refused = SignUpIn().validate({"email": email, "password": "long enough"})
    assert stated is not bool(refused)


def test_a_wrong_field_of_an_object_is_named_with_its_place() -> None:
    messages = {"settings": {"model": ["Unknown."]}, "order": {0: ["No id."]}, "title": ["Blank."]}
    assert dict(_by_field(messages)) == {"settings.model": ["Unknown."], "order.0": ["No id."], "title": ["Blank."]}
