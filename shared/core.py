"""The core of every program with a database: settings, logs and sessions in one Flask app."""

from flask import Flask, current_app

from shared import failpoints
from shared.database.connections import engine_options
from shared.database.tables import db
from shared.logs import configure_logs
from shared.redis.link import RedisLink
from shared.settings import Settings

_KEY = "HOLDFAST"


def create_core(settings: Settings, **database: int) -> Flask:
    """A Flask app without routes. Programs use its app context and its database sessions.

    `database` holds options for engine_options(). Raises SettingsError without an address of Redis or a secret.
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
