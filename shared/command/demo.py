"""The demo user of a development run. The first run makes its password and keeps it in the data folder."""

from typing import NamedTuple

from sqlalchemy import select, update

from shared.actions.accounts.create import create_account
from shared.command.data_folder import kept_secret
from shared.core import create_core
from shared.database.units import execute, query, write_unit
from shared.errors.requests import EmailTaken
from shared.models.user import DEMO, users
from shared.passwords import hash_password, password_fits
from shared.settings import Settings

EMAIL = "demo@holdfast.example"


def demo_sign_in(settings: Settings) -> dict[str, str]:
    """The email and password of the demo user. Creates the user if it is missing."""
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    password = kept_secret(settings.data_dir / "demo-password", size=9)
    with create_core(settings).app_context():
        try:
            create_account(EMAIL, hash_password(password), DEMO)
        except EmailTaken:
            _renew(password)
    return {"email": EMAIL, "password": password}


class _Known(NamedTuple):
    id: str
    password_hash: str | None


def _renew(password: str) -> None:
    """Store the password of this data folder. Another folder may have stored its own before."""
    (user,) = query(select(users.c.id, users.c.password_hash).where(users.c.email == EMAIL), row=_Known)
    if not password_fits(password, user.password_hash):
        with write_unit():
            execute(update(users).where(users.c.id == user.id).values(password_hash=hash_password(password)))
