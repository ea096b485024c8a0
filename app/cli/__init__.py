"""The command line: `colloquy serve | worker | chat | migrate | schema | doctor | import | export | seed | erase`,
and the group `colloquy keys create | list | revoke`."""

from collections.abc import Callable
from typing import Any

import typer

from app.cli import contents, database, exchange, keys, running

COMMANDS: dict[str, Callable[..., Any]] = {
    "serve": running.serve,
    "worker": running.worker,
    "chat": running.chat,
    "migrate": database.migrate_database,
    "schema": database.print_schema,
    "doctor": database.doctor,
    "import": exchange.import_files,
    "export": exchange.export_files,
    "seed": contents.seed,
    "erase": contents.erase_user,
}
"""What there is to ask for, in the order in which the help tells it."""

cli = typer.Typer(
    help="Conversations of people and language models, kept in PostgreSQL and served through GraphQL.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)
for name, command in COMMANDS.items():
    cli.command(name)(command)
cli.add_typer(keys.keys, name="keys")


def main() -> None:
    """The console script."""
    cli()
