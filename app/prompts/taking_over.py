"""What is done to take over templates of another library. Callers hold a unit of work, and are the operator."""

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from app.core.actor import Actor
from app.core.ids import new_id
from app.db.database import Database
from app.db.scopes import ReadScope, UnitOfWork
from app.prompts.models import PromptTemplate
from app.prompts.rendering import check_text, variables_in
from app.prompts.repository import past
from app.prompts.values import PastTemplate, Place, Slot, TemplateId, Text, Variable, VersionId

AT_ONCE = 200
"""Templates that are read or stored at once: at most 2 MB of texts, and ten statements."""


@dataclass(frozen=True, slots=True)
class Library:
    """What the tenant's library has of some templates: by their ids, their names, and where they belong."""

    templates: dict[TemplateId, PromptTemplate]
    names: dict[tuple[Place, str], TemplateId]
    """Of all that are not deleted and have one of the names."""
    enabled: dict[Slot, TemplateId]


@dataclass(slots=True)
class Steps:
    """What is to be done, in this order."""

    disable: list[TemplateId] = field(default_factory=list)
    save: list[tuple[TemplateId, Text]] = field(default_factory=list)
    store: list[PastTemplate] = field(default_factory=list)
    enable: list[TemplateId] = field(default_factory=list)


def check(past_template: PastTemplate) -> None:
    """Raise ValidationError for a template that cannot be stored."""
    past_template.check()
    check_text(past_template.new.text)


def with_its_variables(text: Text, declared: Iterable[Variable] = ()) -> Text:
    """`text` with the variables that its content uses: as they are declared, else of type text."""
    known = {variable.name: variable for variable in declared}
    return replace(text, variables=tuple(known.get(name, Variable(name)) for name in variables_in(text.content)))


async def library(scope: ReadScope, actor: Actor, wanted: Sequence[PastTemplate]) -> Library:
    """What there is of some templates, in three statements."""
    found = await past.known(scope, actor, [one.new.id for one in wanted])
    return await _library(scope, actor, found, wanted)


async def locked_library(uow: UnitOfWork, actor: Actor, wanted: Sequence[PastTemplate]) -> Library:
    """The same, with the templates locked until the end."""
    found = await past.locked(uow, actor, [one.new.id for one in wanted])
    return await _library(uow, actor, found, wanted)


async def _library(
    scope: ReadScope, actor: Actor, found: list[PromptTemplate], wanted: Sequence[PastTemplate]
) -> Library:
    named = await past.named(scope, actor, sorted({one.new.text.name for one in wanted}))
    return Library(
        {TemplateId(row.id): row for row in found},
        {(row.place, row.name): TemplateId(row.id) for row in named},
        await _enabled(scope, actor, [one.new.place for one in wanted]),
    )


async def locked_slots(
    uow: UnitOfWork, actor: Actor, ids: Sequence[TemplateId], slots: Sequence[Slot]
) -> dict[Slot, TemplateId | None]:
    """Which templates are enabled in some slots, with other templates locked until the end."""
    await past.locked(uow, actor, ids)
    return {**dict.fromkeys(slots), **await _enabled(uow, actor, [slot.place for slot in slots])}


async def _enabled(scope: ReadScope, actor: Actor, places: Iterable[Place]) -> dict[Slot, TemplateId]:
    projects = {place.project_id for place in places if place.project_id is not None}
    return {row.slot: TemplateId(row.id) for row in await past.enabled_in(scope, actor, sorted(projects))}


async def take(uow: UnitOfWork, actor: Actor, steps: Steps, now: datetime) -> None:
    """Do the steps, each with one statement, three for new templates.

    Duplicate where somebody took a name or enabled another template since `library` looked.
    """
    if steps.disable:
        await past.switch(uow, actor, steps.disable, enabled=False)
    if steps.save:
        saved = [(template_id, VersionId(new_id()), text) for template_id, text in steps.save]
        await past.add_versions(uow, actor, saved)
    if steps.store:
        await past.store(uow, actor, steps.store, now)
    if steps.enable:
        await past.switch(uow, actor, steps.enable, enabled=True)


async def everything(database: Database, actor: Actor) -> AsyncIterator[PromptTemplate]:
    """All templates of the library by their ids, as they are when they are reached."""
    after = UUID(int=0)
    while True:
        async with database.read() as scope:
            found = await past.behind(scope, actor, after, AT_ONCE)
        for template in found:
            yield template
        if len(found) < AT_ONCE:
            return
        after = found[-1].id


async def amount(scope: ReadScope, actor: Actor) -> int:
    """How many templates the library has."""
    return await past.amount(scope, actor)
