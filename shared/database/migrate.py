"""Brings the schema of a database to the newest version. The versions are in `shared/migrations/`."""

from pathlib import Path

from alembic import command
from alembic.config import Config


def migrate(database_url: str) -> None:
    """Bring the schema of this database to the newest version. A schema that is new enough stays as it is."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parents[1] / "migrations"))
    config.attributes["database_url"] = database_url
    command.upgrade(config, "head")
