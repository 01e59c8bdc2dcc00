"""What a client has to know before anybody signs in."""

from marshmallow import fields

from shared.wire.base import CamelSchema


class ConfigOut(CamelSchema):
    """What a client has to know before anybody signs in."""

    realtime_url = fields.String()
    models = fields.List(fields.String())
    credits_per_reply = fields.Integer()
