"""An operator who disturbs the database."""

from typing import Any

import pytest
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool


@pytest.fixture
def operator(database_url: str) -> Any:
    """An operator with a connection of their own."""
    engine = create_engine(database_url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        yield connection
