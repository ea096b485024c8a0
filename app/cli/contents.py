"""Commands that fill a database, and erase from it."""

from datetime import UTC, datetime
from typing import Annotated, cast

import typer

from app.cli.console import UNUSABLE, DataDir, one_correlation, run, run_resumable, say, settings_of
from app.container import open_container
from app.core.actor import Actor, TenantId
from app.erasure.pipeline import ErasurePipeline
from app.erasure.values import Erasure
from app.identity.service import user_named
from app.identity.values import DEFAULT_TENANT, USER_ROLES
from app.llm.prices import cost
from app.messages.pipeline import MessagePipeline
from app.seeding.display import summary as seeding_summary
from app.seeding.display import templates as told_templates
from app.seeding.measures import Measures
from app.seeding.runner import install_templates
from app.seeding.runner import seed as seed_database
from app.seeding.values import SeedPlan
from app.seeding.values import Totals as SeededTotals


def seed(
    users: Annotated[int, typer.Option(help="Who writes; the first is `system`, whom the playground shows.")] = 20,
    sessions: Annotated[int, typer.Option(help="Sessions of them all.")] = 500,
    messages: Annotated[int, typer.Option(help="Messages in a session, on average.")] = 12,
    days: Annotated[int, typer.Option(help="Days up to now on which it happened.")] = 90,
    projects: Annotated[int, typer.Option(help="Projects of the workflow; more may be added later.")] = 6,
    templates_only: Annotated[
        bool, typer.Option("--templates-only", help="Only put the workflow's prompt templates into the library.")
    ] = False,
    number: Annotated[int, typer.Option("--seed", help="Another number gives another world, beside the first.")] = 1,
    tenant: Annotated[str, typer.Option(help="Tenant it all belongs to.")] = DEFAULT_TENANT,
    data_dir: DataDir = None,
) -> None:
    """Fill the database with believable conversations and projects; run again, it stores only what is missing."""

    async def work() -> SeededTotals:
        now = datetime.now(UTC).replace(microsecond=0)
        plan = SeedPlan(TenantId(tenant), number, users, sessions, days, messages, now, projects)
        plan.check()
        one_correlation()
        settings = settings_of(data_dir=data_dir)
        async with open_container(settings, say, background=False) as container:
            if templates_only:
                return SeededTotals(0, templates=await install_templates(container.database, plan))
            pipeline = cast(MessagePipeline, container.services[MessagePipeline])
            measures = Measures(pipeline.detector, pipeline.count_tokens, cost)
            return await seed_database(container.database, measures, plan)

    totals = run_resumable(work())
    for line in [told_templates(totals.templates)] if templates_only else seeding_summary(totals):
        typer.echo(line)


def erase_user(
    user: Annotated[str, typer.Option(help="Whom to erase, as user or user@tenant.")],
    yes: Annotated[bool, typer.Option("--yes", help="It is meant: nothing brings them back.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Erase all there is of a user: sessions, history, keys, usage."""
    found = user_named(user)
    if found is None:
        say("colloquy: --user must be user or user@tenant, without spaces")
        raise typer.Exit(UNUSABLE)
    name, tenant = found
    if not yes:
        say(f"colloquy: this erases {name}@{tenant} for good: say --yes if that is meant")
        raise typer.Exit(UNUSABLE)

    async def work() -> Erasure:
        actor = Actor(tenant, name, USER_ROLES, one_correlation())
        async with open_container(settings_of(data_dir=data_dir), say, background=False) as container:
            pipeline = cast(ErasurePipeline, container.services[ErasurePipeline])
            return await pipeline.erase(container.database, actor, name, None)

    for table, amount in run(work()).by_table:
        typer.echo(f"{table}: {amount:,}")
