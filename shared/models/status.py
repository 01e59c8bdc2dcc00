"""The types of a message and the states of a reply. `shared/actions/replies/states.py` has the transitions."""

from enum import StrEnum


class MessageType(StrEnum):
    """The kind of a message, as its reader sees it."""

    USER = "user"
    AI_REPORT = "ai_report"  # a reply: placeholder, running or done
    AI_ERROR = "ai_error"  # a reply that failed
    SYSTEM = "system"


class Status(StrEnum):
    """The state of a message. Every message but a reply is completed from the start."""

    PENDING = "pending"  # accepted; waits for its turn, for a worker, or for a back-off to end
    RUNNING = "running"  # a worker holds the lease and writes it
    COMPLETED = "completed"  # final: whole and charged
    FAILED = "failed"  # final: error_code says why; credits returned
    CANCELLED = "cancelled"  # final: stopped, removed or expired before its turn


FINAL = (Status.COMPLETED, Status.FAILED, Status.CANCELLED)
ROLES = {
    MessageType.USER: "user",
    MessageType.AI_REPORT: "assistant",
    MessageType.AI_ERROR: "assistant",
    MessageType.SYSTEM: "system",
}
