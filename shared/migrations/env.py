"""Runs the migrations in `versions/` against the database that `shared/database/migrate.py` names."""

from alembic import context
from sqlalchemy import create_engine, pool

import shared.database.connections
import shared.models  # noqa: F401  registers the tables
from shared.database.tables import Base

engine = create_engine(context.config.attributes["database_url"], poolclass=pool.NullPool)
with engine.connect() as connection:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=True,
        transaction_per_migration=True,  # a lock on a whole table lasts for one migration, not for all (D-220)
    )
    with context.begin_transaction():
        context.run_migrations()
