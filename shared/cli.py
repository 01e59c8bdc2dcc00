"""The `holdfast` command."""

import json
import sys
from dataclasses import replace

import click

from shared.dev import up as run_programs
from shared.settings import Settings, SettingsError, load_settings


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
    from sqlalchemy.exc import OperationalError  # noqa: PLC0415 `up` must not load the database's libraries

    from shared.db import migrate  # noqa: PLC0415

    try:
        migrate(settings.database_url)
    except OperationalError as error:
        raise click.ClickException(f"The database can't be used: {error.orig}") from error


@main.command()
@click.pass_obj
def demo(settings: Settings) -> None:
    """Create the demo user if missing; print how to sign in."""
    from shared.demo import demo_sign_in  # noqa: PLC0415 as above

    if settings.env == "production":
        raise click.ClickException("Production has no demo user.")
    click.echo(json.dumps(demo_sign_in(settings)))


@main.command()
@click.pass_obj
def reconcile(settings: Settings) -> None:
    """Compare balances with the ledger, and replies with their entries; fails if they differ."""
    from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415 as above

    from shared.actions.reconcile import reconcile  # noqa: PLC0415
    from shared.core import create_core  # noqa: PLC0415

    count = 0
    # it asks the database only, so it runs beside `holdfast up` without what that sets by itself
    alone = replace(settings, redis_url="redis://unused", secret_key="unused")
    try:
        with create_core(alone).app_context():
            for count, difference in enumerate(reconcile(), start=1):  # noqa: B007
                click.echo(difference)
    except SQLAlchemyError as error:
        raise click.ClickException(f"The database can't be used: {error}") from error
    click.echo(f"{count} differences")
    sys.exit(1 if count else 0)


if __name__ == "__main__":
    main()
