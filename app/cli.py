"""The command line: `colloquy serve | worker | chat | migrate | schema | doctor | import | export | erase | seed`."""

import asyncio
import os
import signal
import sys
from collections.abc import Coroutine, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager, suppress
from datetime import UTC, datetime
from math import ceil
from pathlib import Path
from typing import Annotated, Any, TypeVar, cast

import typer

from app.chat.console import Asked
from app.chat.console import chat as chat_in_terminal
from app.chat.errors import ChatProblem
from app.chat.values import place_of
from app.container import build_services, open_container
from app.core.actor import Actor, CorrelationId, TenantId, UserId
from app.core.errors import AppError
from app.core.ids import new_id
from app.core.logging import configure_logging, correlate
from app.core.ports import check_port, in_url
from app.core.settings import Settings, SettingsError, environment_name, load_settings
from app.db import migrate
from app.db.errors import DatabaseProblem
from app.db.foundation import apply_migrations, reachable_database, ready_database
from app.erasure.pipeline import ErasurePipeline
from app.erasure.values import Erasure
from app.exchange import display
from app.exchange.files.sources import guessed, parts_of
from app.exchange.files.targets import chosen_sessions, written_file
from app.exchange.library.console import LibraryAsked, export_prompts, import_prompts
from app.exchange.runner import export_sessions, import_parts
from app.exchange.values import ExportFormat, ImportFormat, Ownership, Totals
from app.identity.service import user_named
from app.identity.values import DEFAULT_TENANT, SYSTEM_USER, USER_ROLES
from app.llm.prices import cost
from app.messages.intent_catalogue import IntentCatalogueError
from app.messages.pipeline import MessagePipeline
from app.playground import ASSETS
from app.seeding.display import summary as seeding_summary
from app.seeding.measures import Measures
from app.seeding.runner import seed as seed_database
from app.seeding.values import SeedPlan
from app.seeding.values import Totals as SeededTotals

T = TypeVar("T")

cli = typer.Typer(
    help="Conversations of people and language models, kept in PostgreSQL and served through GraphQL.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)

SOME_REFUSED = 1
"""Exit code when part of what was asked for could not be done; the rest was."""
UNUSABLE = 2
"""Exit code when settings, arguments or the database have to be mended first."""
INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells have it."""

DataDir = Annotated[Path | None, typer.Option("--data-dir", help="Folder of the embedded database [.data].")]


@cli.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on [127.0.0.1].")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0 takes a free one [8000].")] = None,
    data_dir: DataDir = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes that answer requests.")] = 1,
) -> None:
    """Serve GraphQL over HTTP, with an embedded PostgreSQL where no other is configured."""
    import uvicorn

    flags = {"host": host, "port": port, "data_dir": data_dir}
    with _problems_in_one_line():
        settings = _settings(**flags)
        # Worker processes read their settings from the environment, as the application does on its own.
        os.environ.update({environment_name(name): str(value) for name, value in flags.items() if value is not None})
        build_services(settings)
        check_port(settings.host, settings.port)
        # uvicorn ends by raising the signal again: what stands below must still be given up in order.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        with _held(ready_database(settings, _say)), suppress(KeyboardInterrupt):
            if settings.port:
                where = f"http://{in_url(settings.host)}:{settings.port}"
                _say(f"GraphQL at {where}/graphql, playground at {where}/graphiql; Ctrl-C stops")
            uvicorn.run(
                "app.asgi:create_app",
                factory=True,
                host=settings.host,
                port=settings.port,
                workers=workers,
                log_config=None,
                access_log=False,
                server_header=False,
                # A message is refused before it is taken in; small ones, as events are, gain nothing by compression.
                ws_max_size=settings.max_body_bytes,
                ws_per_message_deflate=False,
                timeout_graceful_shutdown=ceil(settings.shutdown_seconds),
            )


@cli.command()
def worker(data_dir: DataDir = None) -> None:
    """Work answers without serving requests: beside `serve`, on this machine or on others."""

    async def work() -> None:
        stopping = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stopping.set)
        async with open_container(_settings(data_dir=data_dir), _say):
            _say("working answers; Ctrl-C stops")
            await stopping.wait()

    _run(work())


@cli.command()
def chat(
    message: Annotated[str | None, typer.Argument(help="Send this, print the answer, and end; else ask.")] = None,
    url: Annotated[str | None, typer.Option(help="Where the server runs [http://127.0.0.1:8000].")] = None,
    session: Annotated[str | None, typer.Option(help="Id of a session to go on with.")] = None,
    model: Annotated[str | None, typer.Option(help="Model to ask, as provider:model.")] = None,
    user: Annotated[str | None, typer.Option(help="Whom to be, as user or user@tenant.")] = None,
) -> None:
    """Talk to a server that runs, and see its answers while they are written."""
    with _problems_in_one_line():
        if url is None:
            # Without the server's log: what a client's libraries tell there is not for the person.
            settings = load_settings()
            url = f"http://{in_url(settings.host)}:{settings.port}"
        code = chat_in_terminal(Asked(place_of(url, user), session, model, message))
    raise typer.Exit(code)


@cli.command(name="migrate")
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
        _say("colloquy: say with --to which revision to go down to; `--to base` empties the database")
        raise typer.Exit(UNUSABLE)

    async def work() -> None:
        async with reachable_database(_settings(data_dir=data_dir), _say) as dsn:
            if new is not None:
                await migrate.new_migration(dsn, new)
            elif down and to is not None:
                await migrate.downgrade(dsn, to, _say)
            else:
                await apply_migrations(dsn, _say, to or "head")
            _say(f"the database is at {await migrate.current(dsn) or 'base: it has no tables'}")

    _run(work())


@cli.command(name="schema")
def print_schema(
    write: Annotated[Path | None, typer.Option(help="Write it to this file.")] = None,
    check: Annotated[Path | None, typer.Option(help="Compare it with this file; exit 1 when they differ.")] = None,
) -> None:
    """Print the GraphQL schema."""
    from app.schema import schema

    text = schema.as_str() + "\n"
    if check is not None:
        if not check.is_file() or check.read_bytes() != text.encode():
            _say(f"{check} is not the served schema: run `make schema`")
            raise typer.Exit(1)
    elif write is not None:
        try:
            write.write_text(text, "utf-8")
        except OSError as error:
            _say(f"colloquy: {write} cannot be written: {error.strerror}")
            raise typer.Exit(UNUSABLE) from None
    else:
        typer.echo(text, nl=False)


@cli.command()
def doctor(data_dir: DataDir = None) -> None:
    """Check the settings and the database, and say what is wrong and how to mend it."""

    async def work() -> None:
        settings = _settings(data_dir=data_dir)
        _say("settings: fine")
        build_services(settings)
        _say("intent catalogue: fine")
        async with reachable_database(settings) as dsn:
            found, newest = await migrate.current(dsn), migrate.head()
            _say(f"database: answers; {'embedded in ' + str(settings.data_dir) if settings.dsn is None else 'yours'}")
            _say(
                "tables: newest"
                if found == newest
                else f"tables: {found or 'none'}, newest is {newest}; run `colloquy migrate`"
            )
        assets = (ASSETS / "index.html").exists()
        _say("playground: built" if assets else "playground: not built; run `make setup`")

    _run(work())


@cli.command(name="import")
def import_conversations(
    files: Annotated[list[Path], typer.Argument(help="Files of conversations; of ChatGPT also a folder or archive.")],
    format_: Annotated[
        ImportFormat | None,
        typer.Option(
            "--format",
            help="How they are written: OpenAI's chat format in lines, an export of ChatGPT, one of colloquy, or a "
            "library of prompts [what they look like, save prompts].",
        ),
    ] = None,
    user_field: Annotated[
        str | None, typer.Option(help="Member of a conversation that names the user it belongs to.")
    ] = None,
    user: Annotated[str, typer.Option(help="User they belong to, without --user-field.")] = SYSTEM_USER,
    tenant: Annotated[str, typer.Option(help="Tenant they belong to.")] = DEFAULT_TENANT,
    dry_run: Annotated[bool, typer.Option(help="Of prompts: only tell how they differ from what is there.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Of prompts: tell it in lines of JSON.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Store conversations or prompts from files; sent again, it stores only what is missing."""
    if format_ is ImportFormat.PROMPTS:
        asked = LibraryAsked(tuple(files), TenantId(tenant), UserId(user), dry_run, as_json)
        opened = open_container(_settings(data_dir=data_dir), _say, background=False)
        raise typer.Exit(_run(import_prompts(opened, asked, typer.echo)))
    if dry_run or as_json:
        _say("colloquy: --dry-run and --json need --format prompts")
        raise typer.Exit(UNUSABLE)

    async def work() -> Totals:
        owners = Ownership(TenantId(tenant), UserId(user), user_field, _one_correlation())
        settings = _settings(data_dir=data_dir)
        chosen = format_ or guessed(files)
        parts = parts_of(files, chosen)
        async with open_container(settings, _say, background=False) as container:
            messages = cast(MessagePipeline, container.services[MessagePipeline])
            return await import_parts(container.database, messages, parts, owners, chosen)

    try:
        totals = _run(work())
    except KeyboardInterrupt:
        _say("stopped; run the same command again, and it goes on from there")
        raise typer.Exit(INTERRUPTED) from None
    for line in display.refusals(totals):
        _say(line)
    for line in display.summary(totals):
        typer.echo(line)
    if totals.refused:
        raise typer.Exit(SOME_REFUSED)


@cli.command()
def seed(
    users: Annotated[int, typer.Option(help="Who writes; the first is `system`, whom the playground shows.")] = 20,
    sessions: Annotated[int, typer.Option(help="Sessions of them all.")] = 500,
    messages: Annotated[int, typer.Option(help="Messages in a session, on average.")] = 12,
    days: Annotated[int, typer.Option(help="Days up to now on which it happened.")] = 90,
    number: Annotated[int, typer.Option("--seed", help="Another number gives another world, beside the first.")] = 1,
    tenant: Annotated[str, typer.Option(help="Tenant it all belongs to.")] = DEFAULT_TENANT,
    data_dir: DataDir = None,
) -> None:
    """Fill the database with believable conversations; run again, it stores only what is missing."""

    async def work() -> SeededTotals:
        now = datetime.now(UTC).replace(microsecond=0)
        plan = SeedPlan(TenantId(tenant), number, users, sessions, days, messages, now)
        plan.check()
        _one_correlation()
        settings = _settings(data_dir=data_dir)
        async with open_container(settings, _say, background=False) as container:
            pipeline = cast(MessagePipeline, container.services[MessagePipeline])
            measures = Measures(pipeline.detector, pipeline.count_tokens, cost)
            return await seed_database(container.database, measures, plan)

    try:
        totals = _run(work())
    except KeyboardInterrupt:
        _say("stopped; run the same command again, and it goes on from there")
        raise typer.Exit(INTERRUPTED) from None
    for line in seeding_summary(totals):
        typer.echo(line)


@cli.command(name="export")
def export_conversations(
    session: Annotated[str | None, typer.Option(help="Id of the one session to write.")] = None,
    user: Annotated[str | None, typer.Option(help="Whose sessions to write, as user or user@tenant.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Write the sessions of all users of all tenants.")] = False,
    format_: Annotated[
        ExportFormat,
        typer.Option(
            "--format", help="How: all there is to import again, OpenAI's chat format, to be read; or prompts."
        ),
    ] = ExportFormat.JSONL,
    tenant: Annotated[str, typer.Option(help="Of prompts: the tenant whose library it is.")] = DEFAULT_TENANT,
    output: Annotated[Path | None, typer.Option(help="File to write [the standard output].")] = None,
    data_dir: DataDir = None,
) -> None:
    """Write sessions, or the library of prompts, to a file."""
    if format_ is ExportFormat.PROMPTS:
        opened = open_container(_settings(data_dir=data_dir), _say, background=False)
        _say(f"{_run(export_prompts(opened, TenantId(tenant), output)):,} prompts written")
        return

    async def work() -> int:
        correlation = _one_correlation()
        chosen = chosen_sessions(session, user, everything=everything)
        settings = _settings(data_dir=data_dir)
        async with open_container(settings, _say, background=False) as container:
            with written_file(output) as target:
                wanted = chosen(container.database)
                return await export_sessions(container.database, target, format_, wanted, correlation)

    written = _run(work())
    _say(f"{written:,} sessions written")
    if session is not None and not written:
        raise typer.Exit(SOME_REFUSED)


@cli.command(name="erase")
def erase_user(
    user: Annotated[str, typer.Option(help="Whom to erase, as user or user@tenant.")],
    yes: Annotated[bool, typer.Option("--yes", help="It is meant: nothing brings them back.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Erase all there is of a user: sessions, history, keys, usage."""
    found = user_named(user)
    if found is None:
        _say("colloquy: --user must be user or user@tenant, without spaces")
        raise typer.Exit(UNUSABLE)
    name, tenant = found
    if not yes:
        _say(f"colloquy: this erases {name}@{tenant} for good: say --yes if that is meant")
        raise typer.Exit(UNUSABLE)

    async def work() -> Erasure:
        actor = Actor(tenant, name, USER_ROLES, _one_correlation())
        async with open_container(_settings(data_dir=data_dir), _say, background=False) as container:
            pipeline = cast(ErasurePipeline, container.services[ErasurePipeline])
            return await pipeline.erase(container.database, actor, name, None)

    for table, amount in _run(work()).by_table:
        typer.echo(f"{table}: {amount:,}")


def main() -> None:
    """The console script."""
    cli()


def _settings(**flags: object) -> Settings:
    settings = load_settings(**flags)
    configure_logging(settings.log_level)
    return settings


def _one_correlation() -> CorrelationId:
    """The correlation id of a command, which its lines and statements bear from now on."""
    correlation = CorrelationId(str(new_id()))
    correlate(correlation)
    return correlation


def _say(line: str) -> None:
    typer.echo(line, err=True)


@contextmanager
def _problems_in_one_line() -> Iterator[None]:
    """What the operator can mend is told in one line, with exit code 2; anything else keeps its stack."""
    try:
        yield
    except (SettingsError, DatabaseProblem, IntentCatalogueError, ChatProblem, AppError) as problem:
        _say(f"colloquy: {problem}")
        raise typer.Exit(UNUSABLE) from None


def _run(work: Coroutine[Any, Any, T]) -> T:
    with _problems_in_one_line():
        return asyncio.run(work)


@contextmanager
def _held(resource: AbstractAsyncContextManager[T]) -> Iterator[T]:
    """Hold an async resource around code that runs an event loop of its own."""
    with asyncio.Runner() as runner:
        held = runner.run(resource.__aenter__())
        try:
            yield held
        finally:
            runner.run(resource.__aexit__(None, None, None))
