"""The shape of the configuration that a client reads before anybody signs in."""

from marshmallow import fields, validate

from shared.wire.base import CamelSchema


class ConfigOut(CamelSchema):
    """The configuration that a client needs before anybody signs in."""

    realtime_url = fields.String()
    models = fields.List(fields.String())
    credits_per_reply = fields.Integer()


class HealthOut(CamelSchema):
    """The sign that a program works."""

    status = fields.String(validate=validate.OneOf(["ok"]))
