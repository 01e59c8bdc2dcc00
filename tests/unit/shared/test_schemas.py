"""The shapes on the wire: the values that each field takes, and their cleaning."""

from dataclasses import fields
from typing import Any

import pytest
from marshmallow import Schema, ValidationError
from marshmallow.fields import Function, Method
from sqlalchemy import Table

from shared.actions.messages.idempotency import STORED, PostRequest
from shared.models.chat import ChatRow, chat_sessions
from shared.models.message import MessageRow, messages
from shared.wire.accounts import RefreshIn, SignInIn, SignUpIn
from shared.wire.chats import ChatIn, ChatOut, ChatPatch
from shared.wire.messages import MessageIn, MessageOut

# Columns of a message that no client sees.
KEPT_INSIDE = {
    *("kept", "updated_at", "deleted_at", "failures", "drains", "handovers", "live_index", "claimed_by"),
    *("lease_until", "not_before", "dispatched_at", "deadline_at", "hand_over_at"),
}
# Columns that a function puts into `error`, `tokens` or `credits`.
SHOWN_IN_ANOTHER_FORM = {"error_code", "tokens_in", "tokens_out", "credits_held", "credits_charged"}
GOOD = {"email": "ada@example.org", "password": "long enough"}


def errors(schema: Schema, data: Any) -> dict[str, Any]:
    with pytest.raises(ValidationError) as refused:
        schema.load(data)
    assert isinstance(refused.value.messages, dict)
    return refused.value.messages


@pytest.mark.parametrize("schema", [SignUpIn, SignInIn, RefreshIn, ChatIn, ChatPatch, MessageIn])
def test_an_unknown_field_is_an_error(schema: type[Schema]) -> None:
    assert "isAdmin" in errors(schema(), {"isAdmin": True})


@pytest.mark.parametrize("value", [None, True, 7, 1.5, ["text"], {"text": 1}, b"text"])
def test_nothing_but_a_string_is_a_text(value: Any) -> None:
    assert list(errors(MessageIn(), {"content": value})) == ["content"]


@pytest.mark.parametrize("blank", ["", " ", "\t\n", "\u00a0\u2003", "\0", "\ud800", "\x1f", "\u200b\u3164"])
def test_a_blank_message_is_refused(blank: str) -> None:
    assert list(errors(MessageIn(), {"content": blank})) == ["content"]


def test_a_message_keeps_its_form() -> None:
    text = "  e\u0301\r\n\tcode\n"
    assert MessageIn().load({"content": text}) == {
        "content": text,
        "model": None,
        "generate": None,
        "role": "user",
        "when_busy": None,
    }


def test_a_post_has_the_fields_that_its_body_may_have() -> None:
    assert [field.name for field in fields(PostRequest)] == ["chat_ref", *MessageIn().fields]


@pytest.mark.parametrize(("row", "table"), [(MessageRow, messages), (ChatRow, chat_sessions)])
def test_a_row_has_every_column_of_its_table(row: Any, table: Table) -> None:
    assert {*row._fields} == {*table.columns.keys()}


def test_every_column_is_shown_or_kept_inside() -> None:
    shown = {field.attribute or field.name for field in MessageOut().fields.values()}
    assert {*MessageRow._fields} - shown == KEPT_INSIDE | SHOWN_IN_ANOTHER_FORM


@pytest.mark.parametrize(("shape", "row"), [(MessageOut(), MessageRow), (ChatOut(), ChatRow)])
def test_each_field_that_is_shown_is_a_column_or_made_by_a_function(shape: Schema, row: Any) -> None:
    """A shape leaves out a field that the row lacks, without an error."""
    plain = [field for field in shape.fields.values() if not isinstance(field, Function | Method)]
    assert {field.attribute or field.name for field in plain} <= {*row._fields}


@pytest.mark.parametrize("name", STORED)
def test_a_field_that_a_message_stores_is_shown(name: str) -> None:
    assert name in MessageRow._fields
    assert name in MessageOut().fields


@pytest.mark.parametrize(("length", "fits"), [(100_000, True), (100_001, False)])
def test_a_message_has_100000_characters_at_most(length: int, fits: bool) -> None:
    assert (MessageIn().validate({"content": "😀" * length}) == {}) == fits


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        *[(" a  b ", "a b"), ("a\nb\tc", "a b c"), ("e\u0301", "é"), ("a\u202eb", "a b"), ("a\x1b[31mb", "a [31mb")],
        *[(text, text) for text in ("\U0001f469\u200d\U0001f467", "\u0647\u200c\u0627", "\u0915\u094d\u200d\u0937")],
    ],
)
def test_a_title_is_one_line_of_visible_text(given: str, kept: str) -> None:
    assert ChatPatch().load({"title": given}) == {"title": kept}


@pytest.mark.parametrize(
    "blank", ["", "\u200b", "\u3164", "\u2800", "\u200c\u200d", "\ufe0f", "\U000e0067", "\U00013441"]
)
def test_what_shows_nothing_is_blank_in_a_title_and_in_a_message(blank: str) -> None:
    for shape in (ChatIn, ChatPatch):
        assert list(errors(shape(), {"title": blank})) == ["title"]
    assert list(errors(MessageIn(), {"content": blank})) == ["content"]


@pytest.mark.parametrize(("length", "fits"), [(200, True), (201, False)])
def test_a_title_has_200_characters_at_most(length: int, fits: bool) -> None:
    assert (ChatPatch().validate({"title": "x" * length}) == {}) == fits


@pytest.mark.parametrize(
    ("given", "kept"),
    [("Ada@Example.ORG", "ada@example.org"), ("  a@b  ", "a@b"), ("JOSE\u0301@x.org", "josé@x.org")],
)
def test_an_email_is_kept_in_one_form(given: str, kept: str) -> None:
    assert SignUpIn().load(GOOD | {"email": given})["email"] == kept


@pytest.mark.parametrize(
    "email", ["", "a", "@", "a@", "@b", "a b@c", "a@b c", "a@b@c", "a@\n", "a\u200db@c", "x" * 255 + "@x"]
)
def test_what_is_no_email_is_refused(email: str) -> None:
    assert list(errors(SignUpIn(), GOOD | {"email": email})) == ["email"]


@pytest.mark.parametrize("password", ["1234567", "", "\0" * 9, "x" * 1025])
def test_a_new_password_has_8_to_1024_characters(password: str) -> None:
    assert list(errors(SignUpIn(), GOOD | {"password": password})) == ["password"]


def test_a_password_of_any_length_may_be_tried() -> None:
    assert SignInIn().load(GOOD | {"password": "x"})["password"] == "x"


def test_a_password_is_taken_as_it_is() -> None:
    assert SignUpIn().load(GOOD | {"password": "  Spaces Matter  "})["password"] == "  Spaces Matter  "


def test_what_goes_out_is_in_camel_case() -> None:
    for schema in (MessageOut(), ChatOut()):
        names = [field.data_key for field in schema.fields.values()]
        assert all(name and "_" not in name and name[0].islower() for name in names)
