"""Commands about the database and the schema."""

from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

from app.cli.console import UNUSABLE, DataDir, run, say, settings_of
from app.container import build_services
from app.core.settings import Settings, direct_address
from app.db import migrate
from app.db.foundation import apply_migrations, reachable_database
from app.pages.console import console
from app.pages.playground import playground


def migrate_database(
    data_dir: DataDir = None,
    to: Annotated[str | None, typer.Option(help="Revision to go to [head, the newest].")] = None,
    down: Annotated[
        bool, typer.Option("--down", help="Go down to that revision; `base` empties the database.")
    ] = False,
    new: Annotated[str | None, typer.Option(help="Write a new migration of this name from the tables.")] = None,
) -> None:
    """Bring the database to the newest tables, one process at a time."""
    if down and to is None:
        say("colloquy: say with --to which revision to go down to; `--to base` empties the database")
        raise typer.Exit(UNUSABLE)

    async def work() -> None:
        settings = settings_of(data_dir=data_dir)
        async with reachable_database(settings, say) as address:
            dsn = direct_address(settings, address)
            if new is not None:
                await migrate.new_migration(dsn, new)
            elif down and to is not None:
                await migrate.downgrade(dsn, to, say)
            else:
                await apply_migrations(dsn, say, to or "head")
            say(f"the database is at {await migrate.current(dsn) or 'base: it has no tables'}")

    run(work())


def print_schema(
    write: Annotated[Path | None, typer.Option(help="Write it to this file.")] = None,
    check: Annotated[Path | None, typer.Option(help="Compare it with this file; exit 1 when they differ.")] = None,
) -> None:
    """Print the GraphQL schema."""
    from app.schema import schema

    text = schema.as_str() + "\n"
    if check is not None:
        if not check.is_file() or check.read_bytes() != text.encode():
            say(f"{check} is not the served schema: run `make schema`")
            raise typer.Exit(1)
    elif write is not None:
        try:
            write.write_text(text, "utf-8")
        except OSError as error:
            say(f"colloquy: {write} cannot be written: {error.strerror}")
            raise typer.Exit(UNUSABLE) from None
    else:
        typer.echo(text, nl=False)


def doctor(data_dir: DataDir = None) -> None:
    """Check the settings and the database, and say what is wrong and how to mend it."""

    async def work() -> None:
        settings = settings_of(data_dir=data_dir)
        say("settings: fine")
        build_services(settings)
        say("intent catalogue: fine")
        async with reachable_database(settings) as dsn:
            found, newest = await migrate.current(direct_address(settings, dsn)), migrate.head()
            say(f"database: answers; {'embedded in ' + str(settings.data_dir) if settings.dsn is None else 'yours'}")
            say(
                "tables: newest"
                if found == newest
                else f"tables: {found or 'none'}, newest is {newest}; run `colloquy migrate`"
            )
        for page in (console(), playground()):
            built = (page.folder / "index.html").exists()
            say(f"{page.name}: {'built' if built else 'not built; run `make setup`'}")
        say(f"authentication: {told_authentication(settings)}")

    run(work())


def told_authentication(settings: Settings) -> str:
    """Who comes in, without what they are checked with."""
    if settings.auth == "off":
        return "off; everybody on this machine may be anybody"
    from app.identity.tokens import own_keys

    ways = ["API keys", *(f"tokens by {key.algorithm}" for key in own_keys(settings))]
    if settings.jwt_jwks_url is not None:
        ways.append(f"tokens by the keys of {urlsplit(settings.jwt_jwks_url).hostname}")
    return f"on; {', '.join(ways)}"
