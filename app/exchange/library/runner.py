"""Reads libraries of prompts, and takes over what is not there yet, or tells what it would do."""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import TypeVar

from app.core.actor import Actor
from app.core.errors import AppError, ValidationError
from app.db.database import Database
from app.db.errors import Duplicate
from app.db.scopes import UnitOfWork
from app.exchange.errors import ImportStopped
from app.exchange.library.comparing import Plan, Waiting, plan_of
from app.exchange.library.files import Unread, templates_of
from app.exchange.library.reading import read_template
from app.exchange.library.values import Finding, LibraryTotals, ReadTemplate, Verdict
from app.prompts import taking_over
from app.prompts.taking_over import AT_ONCE, Library, Steps
from app.prompts.values import Place, Slot, TemplateId

T = TypeVar("T")

MOST_TRIES = 5
"""Of one batch, where others take names or enable templates meanwhile."""

MOST_IGNORED = 20
"""Names of columns without a place that are kept."""

Tell = Callable[[Finding], None]


async def import_library(
    database: Database, actor: Actor, paths: Sequence[Path], tell: Tell, totals: LibraryTotals, *, dry_run: bool
) -> None:
    """Take over the templates of some files, or only compare them; each is told as soon as it is known, and counted.

    UnusableFile, ImportStopped. What cannot be taken is a conflict, and the others go on.
    """
    work = _Import(database, actor, tell, totals, dry_run=dry_run)
    for path in paths:
        with closing(templates_of(path)) as unread:
            while batch := list(islice(unread, AT_ONCE)):
                await work.take(work.read(batch))
    await work.finish()


@dataclass(slots=True)
class _Import:
    database: Database
    actor: Actor
    tell: Tell
    totals: LibraryTotals
    dry_run: bool
    ids: set[TemplateId] = field(default_factory=set)
    names: set[tuple[Place, str]] = field(default_factory=set)
    promised: dict[Slot, TemplateId | None] = field(default_factory=dict)
    """Which templates would be enabled by now; of a dry run, whose steps the database knows nothing of."""
    waiting: list[Waiting] = field(default_factory=list)
    matched: int = 0
    """Templates that the library had."""
    stored: int = 0
    """Templates that it has now."""

    def read(self, batch: Iterable[Unread]) -> list[ReadTemplate]:
        """What can be understood of some templates; the others are told as conflicts."""
        found: list[ReadTemplate] = []
        for unread in batch:
            try:
                one, ignored = read_template(unread)
                self._require_once(one)
            except ValidationError as refused:
                self._tell(Finding(unread.number, Verdict.CONFLICT, reason=f"{unread.unit} {unread.number}: {refused}"))
                continue
            found.append(one)
            self.totals.ignored |= set(islice(sorted(ignored - self.totals.ignored), MOST_IGNORED))
        return found

    async def take(self, wanted: list[ReadTemplate]) -> None:
        """Compare some templates, and take them over unless it is a dry run."""
        if not wanted:
            return
        past = [one.past for one in wanted]
        if self.dry_run:
            async with self.database.read() as scope:
                library = await taking_over.library(scope, self.actor, past)
            enabled: dict[Slot, TemplateId | None] = {**library.enabled, **self.promised}
            plan = plan_of(wanted, library, enabled)
            self.promised |= enabled
        else:

            async def work(uow: UnitOfWork) -> tuple[Library, Plan]:
                library = await taking_over.locked_library(uow, self.actor, past)
                plan = plan_of(wanted, library, dict(library.enabled))
                await taking_over.take(uow, self.actor, plan.steps, datetime.now(UTC))
                return library, plan

            library, plan = await self._transact(work)
            self.stored += len(plan.steps.store)
        self.matched += sum(stored.deleted_at is None for stored in library.templates.values())
        self.waiting += plan.waiting
        for finding in plan.findings:
            self._tell(finding)

    async def finish(self) -> None:
        """Enable what had to wait, where there is room now, and count what no file has."""
        for start in range(0, len(self.waiting), AT_ONCE):
            await self._enable(self.waiting[start : start + AT_ONCE])
        async with self.database.read() as scope:
            here = await taking_over.amount(scope, self.actor)
        self.totals.only_here = here - self.matched - self.stored

    async def _enable(self, waiting: list[Waiting]) -> None:
        def fitting(enabled: dict[Slot, TemplateId | None]) -> Iterator[tuple[Finding, bool]]:
            for one in waiting:
                free = enabled.get(one.slot) is None
                if free:
                    enabled[one.slot] = _id_of(one.finding)
                reason = f"another template of the project is enabled: {enabled[one.slot]}"
                told = one.finding if free else replace(one.finding, verdict=Verdict.CONFLICT, reason=reason)
                yield told, free

        if self.dry_run:
            findings = list(fitting(self.promised))
        else:

            async def work(uow: UnitOfWork) -> list[tuple[Finding, bool]]:
                ids = [_id_of(one.finding) for one in waiting]
                enabled = await taking_over.locked_slots(uow, self.actor, ids, [one.slot for one in waiting])
                fits = list(fitting(enabled))
                switched = Steps(enable=[_id_of(finding) for finding, free in fits if free])
                await taking_over.take(uow, self.actor, switched, datetime.now(UTC))
                return fits

            findings = await self._transact(work)
        for finding, _ in findings:
            self._tell(finding)

    async def _transact(self, work: Callable[[UnitOfWork], Awaitable[T]]) -> T:
        """What comes of `work`, which looks anew where somebody was faster."""
        for _ in range(MOST_TRIES - 1):
            try:
                return await self._once(work)
            except Duplicate:
                continue
        return await self._once(work)

    async def _once(self, work: Callable[[UnitOfWork], Awaitable[T]]) -> T:
        try:
            return await self.database.transact(work)
        except AppError as error:
            if error.retryable:
                raise ImportStopped(self.totals.found[Verdict.NEW], "new templates") from error
            raise

    def _require_once(self, one: ReadTemplate) -> None:
        new = one.past.new
        if new.id in self.ids:
            raise ValidationError(f"its id {new.id} stands twice in the files")
        if (new.place, new.text.name) in self.names:
            raise ValidationError(f"its name stands twice in the files, in one project: {new.text.name}")
        self.ids.add(new.id)
        self.names.add((new.place, new.text.name))

    def _tell(self, finding: Finding) -> None:
        self.totals.found[finding.verdict] += 1
        self.tell(finding)


def _id_of(finding: Finding) -> TemplateId:
    assert finding.id is not None  # noqa: S101 - one that could be read has one
    return TemplateId(finding.id)
