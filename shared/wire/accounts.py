"""The shapes of accounts and sessions on the wire. Never a query, never a rule of the domain."""

from typing import Any

from marshmallow import fields, validate

from shared.wire.base import CamelSchema, Line, StrictString


class Email(Line):
    """An address, lower case. Only a delivered mail could prove more than one @ between two parts."""

    _shape = validate.Regexp(r"[^@\s]+@[^@\s]+\Z", error="Not an email address.")

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs).lower()
        self._shape(text)
        return text


class SignUpIn(CamelSchema):
    """Who wants an account or a session."""

    email = Email(required=True, validate=validate.Length(max=254))
    password = StrictString(required=True, validate=validate.Length(min=8, max=1024))
    token_mode = StrictString(load_default="cookie", validate=validate.OneOf(["cookie", "body"]))


class SignInIn(SignUpIn):
    """Who wants a session. A password of any length may be tried."""

    password = StrictString(required=True, validate=validate.Length(max=1024))


class RefreshIn(CamelSchema):
    """The refresh token, for clients that keep it themselves; browsers send it as a cookie."""

    refresh_token = StrictString(load_default=None)


class UserOut(CamelSchema):
    """A user as the user sees it."""

    id = fields.String()
    email = fields.String()
    role = fields.String()
    credits = fields.Integer()
    subscription = fields.Function(lambda _: None)


class PasswordIn(CamelSchema):
    """The password, for what can't be undone."""

    password = StrictString(required=True, validate=validate.Length(max=1024))


class SessionOut(CamelSchema):
    """A signed-in session. `expiresIn` is in seconds."""

    access_token = fields.String()
    expires_in = fields.Integer()
    user = fields.Nested(UserOut)
    refresh_token = fields.String(metadata={"description": "Only with tokenMode `body`."})
