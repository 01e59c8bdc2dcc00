"""The core that every program with a database stands on: settings, logs and sessions in one Flask app."""

import gc

from flask import Flask, current_app

from shared import failpoints
from shared.database.connections import engine_options
from shared.database.tables import db
from shared.logs import configure_logs
from shared.redis.link import RedisLink
from shared.settings import Settings

_KEY = "HOLDFAST"


def create_core(settings: Settings, **database: int) -> Flask:
    """A Flask app without routes, for its app context and database sessions; `database` as engine_options() takes it.

    Raises SettingsError if the programs' shared services are not set.
    """
    settings.require_services()
    configure_logs(settings.log_level)
    failpoints.arm(settings.failpoints)
    core = Flask("holdfast", static_folder=None)
    core.config[_KEY] = settings
    core.config["SQLALCHEMY_DATABASE_URI"] = settings.database_url
    core.config["SQLALCHEMY_ENGINE_OPTIONS"] = engine_options(settings.database_url, **database)
    core.extensions["redis_link"] = RedisLink(settings.redis_url, settings.namespace)
    db.init_app(core)
    return core


def current_settings() -> Settings:
    """The settings of the app whose context is active."""
    settings = current_app.config[_KEY]
    assert isinstance(settings, Settings)
    return settings


def current_link() -> RedisLink:
    """The Redis link of the app whose context is active."""
    link = current_app.extensions["redis_link"]
    assert isinstance(link, RedisLink)
    return link


def spare_the_collector() -> None:
    """Call when a program has imported everything: what there is now will stay, and needs no look at it ever again.

    Without it the garbage collector walks through every class and function of every library, time after time.
    """
    gc.collect()
    gc.freeze()
