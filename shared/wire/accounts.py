"""The shapes of accounts and sessions on the wire. No shape makes a query or knows a rule of the domain."""

import unicodedata
from types import MappingProxyType
from typing import Any

from marshmallow import ValidationError, fields, validate

from shared.common_passwords import is_common
from shared.text import shows_nothing, visible_class, visible_pattern
from shared.wire.base import CamelSchema, Line, StrictString, object_of

MAX_EMAIL = 254
MAX_PASSWORD = 1024
#: Characters of the longest token. Ours have about 400.
MAX_TOKEN = 2048
_SUBSCRIPTION = object_of(plan="string", status="string", currentPeriodEnd="string") | {"type": ["object", "null"]}
_PART = visible_class("@") + "+"
_SAME_CHARACTER = r"^\s*(\S)\1*\s*$"


class Email(Line):
    """An email address in lower case. It needs one @ between two parts; only a delivered mail could prove more.

    A part has no invisible character, and none beyond 16 bits, so that no second address looks like the first one.
    """

    says = MappingProxyType({"pattern": rf"^\s*{_PART}@{_PART}\s*$", "minLength": 3})
    _shape = validate.Regexp(rf"{_PART}@{_PART}\Z", error="Not an email address.")

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = StrictString._deserialize(self, value, attr, data, **kwargs)
        text = unicodedata.normalize("NFC", text).strip().lower()
        self._shape(text)
        return text


def _hard_to_guess(password: str) -> None:
    if shows_nothing(password):
        raise ValidationError("This password has only blanks. Choose one that can be seen.")
    if is_common(password):
        raise ValidationError("This is one of the passwords that attackers try first. Choose another one.")


_hard_to_guess.says = {  # type: ignore[attr-defined]
    "pattern": visible_pattern(),
    "not": {"pattern": _SAME_CHARACTER},
    "description": "At least 8 characters, and none of the passwords that attackers try first.",
}


class SignUpIn(CamelSchema):
    """The email and password of a new account."""

    email = Email(MAX_EMAIL, required=True)
    password = StrictString(MAX_PASSWORD, required=True, validate=[validate.Length(min=8), _hard_to_guess])
    token_mode = StrictString(32, load_default="cookie", validate=validate.OneOf(["cookie", "body"]))


class SignInIn(SignUpIn):
    """The email and password of a sign-in. An old account may have a password that a sign-up refuses today."""

    password = StrictString(MAX_PASSWORD, required=True)


class RefreshIn(CamelSchema):
    """The refresh token, from clients that keep it themselves. Browsers send it as a cookie instead."""

    refresh_token = StrictString(MAX_TOKEN, load_default=None)


class UserOut(CamelSchema):
    """The account, as its own user sees it."""

    id = fields.String()
    email = fields.String()
    role = fields.String()
    credits = fields.Integer()
    subscription = fields.Function(lambda _: None, metadata=_SUBSCRIPTION)


class PasswordIn(CamelSchema):
    """The password, for an action that cannot be undone."""

    password = StrictString(MAX_PASSWORD, required=True)


class PlaceOut(CamelSchema):
    """A place that had text of the account."""

    place = fields.String(metadata={"description": "`database`, `redis`, `logs`, `model` or `backups`."})
    within_seconds = fields.Integer(
        allow_none=True, metadata={"description": "The text is gone by then. Null if Holdfast cannot erase it there."}
    )
    detail = fields.String()


_COUNTED = {"description": "Null if there were too many to count in time."}


class ReceiptOut(CamelSchema):
    """The receipt of a deleted account: how much was erased, from where, and what is kept."""

    chats = fields.Integer(allow_none=True, metadata=_COUNTED)
    messages = fields.Integer(allow_none=True, metadata=_COUNTED)
    places = fields.List(fields.Nested(PlaceOut))
    kept = fields.List(fields.String())


class SessionOut(CamelSchema):
    """A signed-in session. `expiresIn` is in seconds."""

    access_token = fields.String()
    expires_in = fields.Integer()
    user = fields.Nested(UserOut)
    refresh_token = fields.String(metadata={"description": "Only with tokenMode `body`.", "x-optional": True})
