"""The receipt of a deleted account: each place that had its text, and when the text is gone from there."""

from dataclasses import dataclass, field

from shared.settings import Settings

#: Seconds within which the sweeper takes erased text off the disk (`shared/actions/upkeep/scrub.py`).
WITHIN = 60


@dataclass(frozen=True)
class Place:
    """A place that had text. `within_seconds` is None if Holdfast cannot erase the text there."""

    place: str
    within_seconds: int | None
    detail: str


@dataclass(frozen=True)
class Receipt:
    """The numbers of erased rows, and the places. A number is None if the rows were too many to count in time."""

    chats: int | None
    messages: int | None
    places: list[Place]
    kept: list[str] = field(default_factory=lambda: ["ids", "times", "amounts of credits"])


def receipt_for(settings: Settings, chats: int | None, messages: int | None) -> Receipt:
    """The receipt of an account with so many chats and messages."""
    database = _SQLITE if settings.database_url.startswith("sqlite") else _POSTGRESQL
    return Receipt(chats, messages, [database, _REDIS, _LOGS, _MODEL, _BACKUPS])


_SQLITE = Place(
    "database",
    WITHIN,
    "The rows are erased. Their old bytes leave the files within a minute; pieces may stay in a file above 16 MB.",
)
_POSTGRESQL = Place(
    "database",
    None,
    "The rows are erased. PostgreSQL keeps old versions of them until the operator runs VACUUM FULL, and in its log.",
)
_REDIS = Place(
    "redis",
    WITHIN,
    "The text of unfinished replies is dropped. Redis then writes its append-only file anew, if it has one.",
)
_LOGS = Place("logs", 0, "Logs and queues have ids, and never had any text.")
_MODEL = Place("model", None, "The model's provider got the text of conversations. Its own rules say when it forgets.")
_BACKUPS = Place("backups", None, "Copies of the files that the operator made are the operator's to delete.")
