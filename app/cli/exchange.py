"""Commands that bring conversations and prompts in and out."""

from pathlib import Path
from typing import Annotated, cast

import typer

from app.cli.console import SOME_REFUSED, UNUSABLE, DataDir, one_correlation, run, run_resumable, say, settings_of
from app.container import open_container
from app.core.actor import TenantId, UserId
from app.exchange import display
from app.exchange.files.sources import guessed, parts_of
from app.exchange.files.targets import chosen_sessions, written_file
from app.exchange.formats.names import ExportFormat, ImportFormat
from app.exchange.library.console import LibraryAsked, export_prompts, import_prompts
from app.exchange.projects import export_project, prompts_asked
from app.exchange.runner import export_sessions, import_parts
from app.exchange.values import Ownership, Totals
from app.identity.values import DEFAULT_TENANT, SYSTEM_USER
from app.messages.pipeline import MessagePipeline
from app.workflow.bundle import Included
from app.workflow.errors import NotPossibleNow, ProjectNotFound


def import_files(
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

    async def compare() -> int:
        asked = LibraryAsked(tuple(files), TenantId(tenant), UserId(user), one_correlation(), dry_run, as_json)
        opened = open_container(settings_of(data_dir=data_dir), say, background=False)
        return await import_prompts(opened, asked, typer.echo)

    if format_ is ImportFormat.PROMPTS:
        raise typer.Exit(run_resumable(compare()))
    if dry_run or as_json:
        say("colloquy: --dry-run and --json need --format prompts")
        raise typer.Exit(UNUSABLE)

    async def work() -> Totals:
        owners = Ownership(TenantId(tenant), UserId(user), user_field, one_correlation())
        settings = settings_of(data_dir=data_dir)
        chosen = format_ or guessed(files)
        parts = parts_of(files, chosen)
        async with open_container(settings, say, background=False) as container:
            messages = cast(MessagePipeline, container.services[MessagePipeline])
            return await import_parts(container.database, messages, parts, owners, chosen)

    totals = run_resumable(work())
    for line in display.refusals(totals):
        say(line)
    for line in display.summary(totals):
        typer.echo(line)
    if totals.refused:
        raise typer.Exit(SOME_REFUSED)


def export_files(
    session: Annotated[str | None, typer.Option(help="Id of the one session to write.")] = None,
    user: Annotated[str | None, typer.Option(help="Whose sessions to write, as user or user@tenant.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Write the sessions of all users of all tenants.")] = False,
    project: Annotated[
        str | None, typer.Option(help="Id of a project: write its generated prompts, as an archive.")
    ] = None,
    include: Annotated[
        Included | None, typer.Option(help="Of a project: also prompts that are not approved yet [approved].")
    ] = None,
    format_: Annotated[
        ExportFormat | None,
        typer.Option(
            "--format", help="How: all there is to import again, OpenAI's chat format, to be read; or prompts [jsonl]."
        ),
    ] = None,
    tenant: Annotated[str, typer.Option(help="Of prompts and projects: the tenant whose they are.")] = DEFAULT_TENANT,
    output: Annotated[Path | None, typer.Option(help="File to write [the standard output, as with -].")] = None,
    data_dir: DataDir = None,
) -> None:
    """Write sessions, the library of prompts, or the prompts of a project, to a file."""

    async def write_project() -> int:
        sessions = {"--session": session is not None, "--user": user is not None, "--all": everything}
        asked = prompts_asked(project, include, [name for name, given in sessions.items() if given], format_)
        opened = open_container(settings_of(data_dir=data_dir), say, background=False)
        try:
            return await export_project(opened, asked, TenantId(tenant), one_correlation(), output)
        except (ProjectNotFound, NotPossibleNow) as nothing:
            say(f"colloquy: {nothing}")
            return 0

    if project is not None or include is not None:
        prompts = run(write_project())
        say(f"{prompts:,} prompts written")
        if not prompts:
            raise typer.Exit(SOME_REFUSED)
        return

    async def write_library() -> int:
        opened = open_container(settings_of(data_dir=data_dir), say, background=False)
        return await export_prompts(opened, TenantId(tenant), one_correlation(), output)

    if format_ is ExportFormat.PROMPTS:
        say(f"{run(write_library()):,} prompts written")
        return

    async def work() -> int:
        correlation = one_correlation()
        chosen = chosen_sessions(session, user, everything=everything)
        settings = settings_of(data_dir=data_dir)
        async with open_container(settings, say, background=False) as container:
            with written_file(output) as target:
                wanted = chosen(container.database)
                return await export_sessions(
                    container.database, target, format_ or ExportFormat.JSONL, wanted, correlation
                )

    written = run(work())
    say(f"{written:,} sessions written")
    if session is not None and not written:
        raise typer.Exit(SOME_REFUSED)
