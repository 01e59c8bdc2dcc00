"""The nouns, each with its table. An import of this package registers every table."""

from shared.models.chat import ChatSession
from shared.models.credits import CreditEntry
from shared.models.erasure import Erasure
from shared.models.idempotency import IdempotencyKey
from shared.models.message import Message
from shared.models.revocation import Revocation
from shared.models.sign_in import SignIn
from shared.models.user import User
from shared.models.worker import Worker

__all__ = [
    "ChatSession",
    "CreditEntry",
    "Erasure",
    "IdempotencyKey",
    "Message",
    "Revocation",
    "SignIn",
    "User",
    "Worker",
]
