"""A client of an app in this process, whose user is signed in."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from flask.testing import FlaskClient

from api.access import tokens
from api.app import create_app
from benchmarks.lab.processes import Processes
from shared.database.tables import db
from shared.settings import load_settings


@contextmanager
def signed_in(processes: Processes, environment: Mapping[str, str], fill: Callable[[], str]) -> Iterator[FlaskClient]:
    """A client of the user whose id `fill` returns after it has filled the database. The processes end with the client.

    `environment` becomes a part of this process's own.
    """
    os.environ |= environment
    app = create_app(load_settings())
    try:
        with app.app_context():
            user_id = fill()
        client = app.test_client()
        token = tokens.issue(app.config["HOLDFAST"].secret_key, tokens.ACCESS, user_id, 3600)
        client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
        yield client
    finally:
        with app.app_context():
            db.engine.dispose()
        processes.stop()
