"""Fills a database with the world of a plan, batch by batch; run again, it goes on where it stopped."""

import asyncio
import gc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime

from app.core.actor import Actor, CorrelationId
from app.core.ids import new_id
from app.db.base import table_of
from app.db.database import Database
from app.identity.service import local_actor
from app.identity.values import SYSTEM_USER
from app.prompts import service as prompts
from app.prompts.values import NewTemplate, Stage, TemplateId, Text, VersionId
from app.seeding import repository
from app.seeding.books import Books
from app.seeding.chance import beginnings, first_session_id, users_of
from app.seeding.display import shown
from app.seeding.errors import SeedTaken
from app.seeding.measures import Measures
from app.seeding.project_rows import PROJECT_TABLES, no_project_rows
from app.seeding.projects import ProjectTeller
from app.seeding.rows import TABLES, MessageRow, Rows, no_rows
from app.seeding.stories import StoryTeller
from app.seeding.values import SeedPlan, Totals
from app.workflow.defaults import DEFAULTS

MESSAGES_AT_ONCE = 2_500
"""In one transaction: a batch is there or not, and takes far less than a statement may."""
PROJECTS_AT_ONCE = 50
"""In one transaction: about 2,500 rows."""
SIDE_BY_SIDE = 3
"""Batches under way: while the database stores one, the next is made up."""


async def seed(database: Database, measures: Measures, plan: SeedPlan) -> Totals:
    """Store what is not there yet of a plan; how far it is shows on standard error. ValidationError, SeedTaken.

    What is stored is the same for the same plan, wherever it was stopped before.
    """
    plan.check()
    plan = await _as_begun(database, plan)
    totals = Totals(plan.sessions)
    teller = StoryTeller(plan, users_of(plan), beginnings(plan), measures.count)
    work = _Seeding(database, measures, teller, totals, _batches(plan))
    async with shown(totals):
        with _uncollected():
            await _stored(work)
            await seed_projects(database, plan, totals)
        if totals.sessions or totals.projects:
            await database.analyze([table_of(table) for table in {**TABLES, **PROJECT_TABLES}.values()])
    totals.templates = await install_templates(database, plan)
    return totals


async def seed_projects(database: Database, plan: SeedPlan, totals: Totals) -> None:
    """Store those of a plan's projects that were never there; `plan` has the time at which its seed was first used."""
    teller = ProjectTeller(plan, users_of(plan))
    for start in range(0, plan.projects, PROJECTS_AT_ONCE):
        batch = range(start, min(start + PROJECTS_AT_ONCE, plan.projects))
        wanted = {teller.project_id(index): index for index in batch}
        async with database.read() as scope:
            known = await repository.begun(scope, plan.tenant, list(wanted))
        await _store_projects(database, teller, [index for id_, index in wanted.items() if id_ not in known], totals)
        totals.known_projects += len(known)


async def _store_projects(database: Database, teller: ProjectTeller, indexes: list[int], totals: Totals) -> None:
    rows = no_project_rows()
    for index in indexes:
        teller.tell(index, rows)
    await database.transact(lambda uow: repository.copy(uow, rows, PROJECT_TABLES))
    totals.projects += len(indexes)
    totals.rows += sum(len(found) for found in rows.values())


async def install_templates(database: Database, plan: SeedPlan) -> int:
    """Have the workflow's own templates in the tenant's library; how many were not there. EnabledConflict."""
    actor = local_actor(SYSTEM_USER, plan.tenant, CorrelationId(f"seed-{plan.seed}"))
    return sum([await _install(database, actor, stage, text) for stage, text in DEFAULTS.items()])


async def _install(database: Database, actor: Actor, stage: Stage, text: Text) -> bool:
    new = NewTemplate(TemplateId(new_id()), VersionId(new_id()), text, enabled=True, stage=stage)
    there = await database.transact(lambda uow: prompts.install(uow, actor, new))
    return there.id == new.id


async def _stored(work: "_Seeding") -> None:
    # Alone: by its first session a later run knows that this one was here, and what time it was.
    await work.next()
    try:
        async with asyncio.TaskGroup() as workers:
            for _ in range(SIDE_BY_SIDE):
                workers.create_task(work.run())
    except ExceptionGroup as failed:
        # One is enough to tell: the others were about to fail the same way, or were cancelled.
        raise failed.exceptions[0] from failed.exceptions[0].__cause__


@contextmanager
def _uncollected() -> Iterator[None]:
    """Rows hold no cycles, and there are many: looking for some would take two fifths of the time to make them."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


async def _as_begun(database: Database, plan: SeedPlan) -> SeedPlan:
    """The plan, with the time of the run that began it. SeedTaken when that had another shape."""
    async with database.read() as scope:
        custom_data = await repository.marked(scope, plan.tenant, first_session_id(plan))
    if custom_data is None:
        return plan
    before = dict(custom_data.get("seed") or {})
    began_at = before.pop("now", None)
    if began_at is None or before != plan.shape:
        raise SeedTaken(plan.seed, " ".join(f"--{name} {before.get(name)}" for name in plan.shape))
    return replace(plan, now=datetime.fromisoformat(began_at))


def _batches(plan: SeedPlan) -> Iterator[range]:
    size = max(1, MESSAGES_AT_ONCE // plan.messages)
    return (range(start, min(start + size, plan.sessions)) for start in range(0, plan.sessions, size))


@dataclass(slots=True)
class _Seeding:
    """What the workers share."""

    database: Database
    measures: Measures
    teller: StoryTeller
    totals: Totals
    batches: Iterator[range]

    async def run(self) -> None:
        """Store one batch after the other until there are no more."""
        while await self.next():
            pass

    async def next(self) -> bool:
        """Store the next batch, where it is not there; whether there was one."""
        batch = next(self.batches, None)
        if batch is None:
            return False
        if await self._is_there(batch):
            self.totals.known += len(batch)
            return True
        rows = self._rows(batch)
        await self.database.transact(lambda uow: repository.copy(uow, rows, TABLES))
        self.totals.sessions += len(batch)
        self.totals.messages += len(rows[MessageRow])
        self.totals.rows += sum(len(found) for found in rows.values())
        return True

    async def _is_there(self, batch: range) -> bool:
        # One is enough: a batch is stored whole, and what was deleted of it since is not to come back.
        ids = [self.teller.session_id(index) for index in batch]
        async with self.database.read() as scope:
            return await repository.any_there(scope, self.teller.plan.tenant, ids)

    def _rows(self, batch: range) -> Rows:
        rows = no_rows()
        for index in batch:
            story, chance = self.teller.tell(index)
            Books(self.teller.plan.tenant, story, chance, self.measures, rows).close()
        return rows
