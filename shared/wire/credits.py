"""The shapes of credits and of the ledger."""

from marshmallow import fields

from shared.models.credits import GRANT, HOLD, RELEASE
from shared.models.user import Account
from shared.wire.base import CamelSchema, Page

_ID_OR_NULL = {"type": ["string", "null"]}


class CreditsOut(CamelSchema):
    """The balance that is left to spend, and the credits that open replies hold."""

    balance = fields.Integer()
    held = fields.Integer()


class CreditEntryOut(CamelSchema):
    """One movement of credits. `messageId` names the reply that it was for. A grant has none."""

    id = fields.String()
    delta = fields.Integer()
    kind = fields.String(metadata={"enum": [GRANT, HOLD, RELEASE]})
    message_id = fields.Function(lambda entry: None if entry.kind == GRANT else entry.ref, metadata=_ID_OR_NULL)
    created_at = fields.DateTime()


class CreditEntryPage(Page):
    """A page of the ledger."""

    items = fields.List(fields.Nested(CreditEntryOut))


def credits_data(account: Account) -> dict[str, int]:
    """The balance that is left to spend, and the credits that open replies hold."""
    return {"balance": account.credits, "held": account.held}
