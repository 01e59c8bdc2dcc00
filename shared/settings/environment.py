"""The one reader of the environment.

A wrong value or an unknown HOLDFAST_ name stops the program at its start, with a sentence that names it.
"""

import difflib
import os
from collections.abc import Callable
from dataclasses import fields
from typing import Any

from dotenv import load_dotenv
from environs import Env, EnvError

from shared.settings.fields import PREFIX, Settings, SettingsError
from shared.settings.mistakes import contradictions, mistakes
from shared.settings.sites import origin_of


def load_settings() -> Settings:
    """Read the environment, and `.env` in the current folder unless this is a test run.

    Raises SettingsError with one line for each problem.
    """
    if os.environ.get(PREFIX + "ENV") != "test":
        load_dotenv(".env")  # with environs' own reader, the check below would not see the names of the file
    _refuse_unknown_names()
    reader = Env()
    problems, values = [], {}
    for setting in fields(Settings):
        try:
            values[setting.name] = _read(reader, **setting.metadata)
        except EnvError as error:
            problems.append(str(error))
    if problems:
        raise SettingsError("\n".join(problems))
    return _checked(Settings(**_with_derived_defaults(values)))


def _read(reader: Env, name: str, kind: str, default: Any, rule: Callable[[Any], Any] | None) -> Any:
    if os.environ.get(name) == "":  # `NAME=` in a compose or .env file means "not set"
        return default
    value = getattr(reader, kind)(name, default, validate=rule)
    return [entry.strip() for entry in value if entry.strip()] if kind == "list" else value


def _refuse_unknown_names() -> None:
    known = [setting.metadata["name"] for setting in fields(Settings)]
    for name in sorted(os.environ):
        if name.startswith(PREFIX) and name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {close[0]}?" if close else "see .env.example for every setting."
            raise SettingsError(f"{name} is not a setting: {hint}")


def _with_derived_defaults(values: dict[str, Any]) -> dict[str, Any]:
    values["data_dir"] = values["data_dir"].absolute()
    if not values["database_url"]:
        values["database_url"] = f"sqlite:///{values['data_dir'] / 'holdfast.db'}"
    if not values["model"]:
        values["model"] = "gpt-4o-mini" if values["openai_api_key"] else "scripted"
    if values["model"] not in values["models"]:
        values["models"] = [values["model"], *values["models"]]
    values |= {name: origin_of(values[name]) for name in ("public_url", "realtime_url")}
    values["realtime_url"] = values["realtime_url"] or values["public_url"]
    own = [values["public_url"]] if values["public_url"] else []
    values["allowed_origins"] = [*map(origin_of, values["allowed_origins"]), *own]
    return values


def _checked(settings: Settings) -> Settings:
    if problems := [*mistakes(settings), *contradictions(settings)]:
        raise SettingsError("\n".join(problems))
    return settings
