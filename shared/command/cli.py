"""The `holdfast` command."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import click

from shared.command.embedded_redis import EmbeddedRedis
from shared.command.up import up as run_programs
from shared.settings import Settings, SettingsError, load_settings

# Characters of a --ref. The ledger's column holds no more.
_LONGEST_REF = 64


@click.group()
@click.pass_context
def main(context: click.Context) -> None:
    """Holdfast: a chat backend for AI replies that take a while."""
    try:
        context.obj = load_settings()
    except SettingsError as error:
        raise click.ClickException(str(error)) from error


@main.command()
@click.pass_obj
def up(settings: Settings) -> None:
    """Run all programs; Ctrl-C stops them."""
    run_programs(settings)


@main.command()
@click.pass_obj
def migrate(settings: Settings) -> None:
    """Bring the database to the newest schema."""
    from sqlalchemy.exc import OperationalError  # noqa: PLC0415 `up` must not load the libraries of the database

    from shared.database.migrate import migrate  # noqa: PLC0415

    try:
        migrate(settings.database_url)
    except OperationalError as error:
        raise click.ClickException(f"The database can't be used: {error.orig}") from error


@main.command()
@click.pass_obj
def demo(settings: Settings) -> None:
    """Create the demo user if it is missing, and print its email and password."""
    from shared.command.demo import demo_sign_in  # noqa: PLC0415 as above

    if settings.env == "production":
        raise click.ClickException("Production has no demo user.")
    click.echo(json.dumps(demo_sign_in(settings)))


@main.command()
@click.pass_obj
def reconcile(settings: Settings) -> None:
    """Compare balances with the ledger, and replies with their entries. Fails if any of them differ."""
    from shared.actions.credits.reconcile import reconcile  # noqa: PLC0415 as above

    count = 0
    with _database(settings, redis_url="redis://unused"):  # this command asks the database only
        for count, difference in enumerate(reconcile(), start=1):  # noqa: B007
            click.echo(difference)
    click.echo(f"{count} differences")
    sys.exit(1 if count else 0)


@main.command()
@click.argument("email")
@click.pass_obj
def disable(settings: Settings, email: str) -> None:
    """Sign the user with this EMAIL out everywhere, and refuse to sign them in again. Their running replies go on."""
    from shared.actions.accounts.disable import disable_account  # noqa: PLC0415 as above

    with _database(settings, _redis_of(settings)):
        disable_account(_user_id(email))
    click.echo(f"{email} is disabled. Their open tabs and tokens end within 5 seconds.")


@main.command()
@click.argument("email")
@click.pass_obj
def enable(settings: Settings, email: str) -> None:
    """Let the user with this EMAIL sign in again."""
    from shared.actions.accounts.disable import enable_account  # noqa: PLC0415 as above

    with _database(settings, _redis_of(settings)):
        enable_account(_user_id(email))
    click.echo(f"{email} is enabled, and may sign in again.")


@main.command()
@click.argument("email")
@click.argument("amount", type=click.IntRange(min=1))
@click.option("--ref", required=True, help="The reason, such as an invoice. Each is granted only once.")
@click.pass_obj
def grant(settings: Settings, email: str, amount: int, ref: str) -> None:
    """Give AMOUNT credits to the user with this EMAIL."""
    from shared.actions.credits.grant import AlreadyGranted, grant_credits  # noqa: PLC0415 as above

    if len(ref) > _LONGEST_REF:
        raise click.UsageError(f"--ref has more than {_LONGEST_REF} characters.")
    with _database(settings, _redis_of(settings)):
        try:
            account = grant_credits(_user_id(email), amount, ref)
        except AlreadyGranted as error:
            raise click.ClickException(f"{email} was granted credits for {ref} before; nothing has changed.") from error
    click.echo(f"{email} has {account.credits} credits")


@main.command()
@click.argument("email")
@click.option("--revoke", is_flag=True, help="Take the role away again.")
@click.pass_obj
def admin(settings: Settings, email: str, revoke: bool) -> None:
    """Make the user with this EMAIL an admin, who may write system messages."""
    from shared.actions.accounts.admin import set_admin  # noqa: PLC0415 as above

    with _database(settings, _redis_of(settings)):
        if not set_admin(_user_id(email), admin=not revoke):
            raise click.ClickException("The demo user cannot be an admin. Make an account of your own.")
    click.echo(f"{email} is no admin." if revoke else f"{email} is an admin, and may write system messages.")


@contextmanager
def _database(settings: Settings, redis_url: str) -> Iterator[None]:
    """Gives a command the app context that actions need. It works while `holdfast up` runs, too.

    The secret is a dummy, because no command signs a token.
    """
    from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415 as above

    from shared.core import create_core  # noqa: PLC0415

    try:
        with create_core(replace(settings, redis_url=redis_url, secret_key="unused")).app_context():
            yield
    except SQLAlchemyError as error:
        raise click.ClickException(f"The database can't be used: {error}") from error


def _redis_of(settings: Settings) -> str:
    """The address of Redis; without REDIS_URL, that of the private Redis of `holdfast up`.

    The private Redis need not run. Without it, the sweeper copies revocations and hands replies over later.
    """
    if settings.redis_url:
        return settings.redis_url
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    return EmbeddedRedis(settings.data_dir / "redis").url


def _user_id(email: str) -> str:
    from marshmallow import ValidationError  # noqa: PLC0415 as above

    from shared.actions.accounts.create import find_account  # noqa: PLC0415
    from shared.wire.accounts import MAX_EMAIL, Email  # noqa: PLC0415

    try:
        user_id = find_account(Email(MAX_EMAIL).deserialize(email))
    except ValidationError:
        user_id = None
    if user_id is None:
        raise click.ClickException(f"No account has the email {email}.")
    return user_id


if __name__ == "__main__":
    main()
