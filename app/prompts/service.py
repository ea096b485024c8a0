"""What can be done with a prompt: one rule each. Callers hold a unit of work, and have a writer's rights checked."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

from app.core.actor import Actor, Role
from app.core.ids import new_id
from app.core.text import require_range
from app.db.errors import Duplicate
from app.db.scopes import ReadScope, UnitOfWork
from app.prompts import repository
from app.prompts.errors import (
    EnabledConflict,
    LabelConflict,
    NameTaken,
    NotAnEditor,
    TemplateInUse,
    TemplateNotFound,
    TooManyLabels,
    VersionConflict,
    VersionNotFound,
)
from app.prompts.models import PromptTemplate, PromptTemplateVersion
from app.prompts.rendering import check_text, unused
from app.prompts.values import (
    HIGHEST_VERSION,
    MOST_LABELS,
    Choice,
    LabelMove,
    NewTemplate,
    Place,
    PromptType,
    Slot,
    Stage,
    TemplateId,
    Text,
    Unchanged,
    Unused,
    VersionId,
    check_changes,
)

UNCHANGED = (Unchanged(),)
_MOST_LOOKS = 3
"""For a template that is to be installed: one more for each that takes its name and is deleted right then."""


@dataclass(frozen=True, slots=True)
class TemplateOutcome:
    """The template after a change, and whether the same request had made it before."""

    template: PromptTemplate
    replaced: PromptTemplate | None = None
    """The template that was disabled for it."""
    warnings: Sequence[Unchanged | Unused] = ()
    deduplicated: bool = False


def require_editor(actor: Actor) -> None:
    """Raise NotAnEditor for an actor who may only read what the tenant shares."""
    if Role.EDITOR not in actor.roles:
        raise NotAnEditor


async def find(scope: ReadScope, actor: Actor, template_id: TemplateId) -> PromptTemplate:
    """A template of the tenant, also one that is deleted. TemplateNotFound."""
    found = await repository.find_template(scope, actor, template_id)
    if found is None:
        raise TemplateNotFound
    return found


async def resolve(scope: ReadScope, actor: Actor, choice: Choice) -> PromptTemplateVersion:
    """The version that is meant, of a template that is not deleted.

    ValidationError, TemplateNotFound and VersionNotFound naming the field of the choice that leads to nothing.
    """
    choice.check()
    template_id, latest = await _chosen(scope, actor, choice)
    if choice.label is not None:
        found = await repository.labelled_version(scope, actor, template_id, choice.label)
        if found is None:
            raise VersionNotFound("label", "the prompt template has no such label")
        return found
    found = await repository.numbered_version(scope, actor, template_id, choice.version or latest)
    if found is None:
        raise VersionNotFound("version", "the prompt template has no such version")
    return found


async def _chosen(scope: ReadScope, actor: Actor, choice: Choice) -> tuple[TemplateId, int]:
    """Which template is meant, and the number of its latest version."""
    if choice.template_id is not None:
        template = await find(scope, actor, choice.template_id)
        if template.deleted_at is not None:
            raise TemplateNotFound
        return choice.template_id, template.version
    if choice.name is not None:
        chosen = await repository.chosen_by_name(scope, actor, choice.place, choice.name)
        if chosen is None:
            raise TemplateNotFound("name", "there is no prompt template of this name")
        return TemplateId(chosen.id), chosen.version
    chosen = await repository.chosen_enabled(scope, actor, Slot(choice.place, choice.stage))
    if chosen is None:
        raise TemplateNotFound("enabled", "no prompt template of the project is enabled")
    return TemplateId(chosen.id), chosen.version


async def hold(uow: UnitOfWork, actor: Actor, template_id: TemplateId) -> None:
    """Keep a template from being changed or deleted while this transaction stores what needs it. TemplateNotFound.

    Taken behind the session's lock, where there is one.
    """
    if not await repository.hold_template(uow, actor, template_id):
        raise TemplateNotFound


async def lock(uow: UnitOfWork, actor: Actor, template_id: TemplateId) -> PromptTemplate:
    """The newest version of a template's row, locked until the unit of work ends. TemplateNotFound, also if deleted."""
    found = await repository.lock_template(uow, actor, template_id)
    if found is None or found.deleted_at is not None:
        raise TemplateNotFound
    return found


async def create(uow: UnitOfWork, actor: Actor, new: NewTemplate) -> TemplateOutcome:
    """Store a template with its first version.

    ValidationError, NameTaken; EnabledConflict where it is to be enabled at once.
    """
    check_text(new.text)
    warnings = warnings_of(new.text)
    if not new.enabled:
        return TemplateOutcome(await _stored(uow, actor, new), warnings=warnings)
    await repository.lock_slot(uow, actor, new.slot)
    created = await _stored(uow, actor, new)
    return replace(await _enable(uow, actor, created, new.replace_enabled), warnings=warnings)


async def install(uow: UnitOfWork, actor: Actor, new: NewTemplate) -> PromptTemplate:
    """Have a template that comes with the server in its place; the one that has its name there, where there is one.

    For the server itself: the actor, who is named as its creator, need be no editor. It is enabled where nothing else
    is in its slot; one that was there stays as it is, also if it is not enabled, or for another stage. Whatever others
    do at once, it is stored once, and each gets that one. ValidationError; EnabledConflict where an import enables
    another one at this moment.
    """
    check_text(new.text)
    await repository.lock_slot(uow, actor, new.slot)
    for _ in range(_MOST_LOOKS):
        there = await repository.chosen_by_name(uow, actor, new.place, new.text.name)
        if there is not None:
            return await find(uow, actor, TemplateId(there.id))
        # Whoever creates one that is not enabled, or renames one, has not locked the slot.
        made = await repository.create_unless_named(uow, actor, new)
        if made is None:
            continue
        if await repository.lock_enabled(uow, actor, new.slot) is not None:
            return made
        async with _refusals():
            return await repository.set_enabled(uow, actor, new.id, enabled=True)
    raise NameTaken


async def _stored(uow: UnitOfWork, actor: Actor, new: NewTemplate) -> PromptTemplate:
    async with _refusals():
        return await repository.create(uow, actor, new)


async def update(
    uow: UnitOfWork, actor: Actor, template_id: TemplateId, expected_version: int, changes: dict[str, Any]
) -> TemplateOutcome:
    """Add a version that differs from the latest in what `changes` names: fields of `Text`.

    Where that says what the latest says, none is added. ValidationError, TemplateNotFound, VersionConflict, NameTaken.
    """
    check_changes(changes)
    require_range(expected_version, "expectedVersion", at_least=1, at_most=HIGHEST_VERSION)
    found = await lock(uow, actor, template_id)
    if found.version != expected_version:
        raise VersionConflict(expected_version, found)
    text = text_of(found)
    wanted = replace(text, **changes)
    if wanted.says_the_same(text):
        return TemplateOutcome(found, warnings=UNCHANGED)
    wanted.check()
    check_text(wanted)
    async with _refusals():
        saved = await repository.add_version(uow, actor, template_id, VersionId(new_id()), wanted)
    return TemplateOutcome(saved, warnings=warnings_of(wanted))


def warnings_of(text: Text) -> Sequence[Unchanged | Unused]:
    """What is worth a word about a text that can be stored."""
    names = unused(text)
    return (Unused(tuple(names)),) if names else ()


def text_of(said: PromptTemplate | PromptTemplateVersion) -> Text:
    """What a version says, or the latest of a template."""
    return Text(said.name, said.content, PromptType(said.type), said.description, said.declared)


async def enable(uow: UnitOfWork, actor: Actor, template_id: TemplateId, *, replace_enabled: bool) -> TemplateOutcome:
    """Enable a template, and disable the one that is enabled in its slot where it is to be replaced.

    TemplateNotFound, EnabledConflict.
    """
    seen = await find(uow, actor, template_id)
    # Where a template belongs and its stage never change: the slot can be locked before the template.
    await repository.lock_slot(uow, actor, slot_of(seen))
    return await _enable(uow, actor, await lock(uow, actor, template_id), replace_enabled)


async def _enable(uow: UnitOfWork, actor: Actor, found: PromptTemplate, replace_enabled: bool) -> TemplateOutcome:
    """Of a template that is locked, and whose slot is too."""
    if found.enabled:
        return TemplateOutcome(found, warnings=UNCHANGED)
    replaced = None
    # Nobody else enables one meanwhile, but somebody may disable or delete the one there is until its lock is had.
    other = await repository.lock_enabled(uow, actor, slot_of(found))
    if other is not None:
        if not replace_enabled:
            raise EnabledConflict(other)
        replaced = await repository.set_enabled(uow, actor, other, enabled=False)
    async with _refusals():
        return TemplateOutcome(await repository.set_enabled(uow, actor, TemplateId(found.id), enabled=True), replaced)


def place_of(template: PromptTemplate) -> Place:
    """Where a template belongs."""
    return Place(template.project_id, template.organization_id)


def slot_of(template: PromptTemplate) -> Slot:
    """What a template may be enabled for."""
    return Slot(place_of(template), Stage(template.stage) if template.stage is not None else None)


async def disable(uow: UnitOfWork, actor: Actor, template_id: TemplateId) -> TemplateOutcome:
    """Disable a template. TemplateNotFound."""
    found = await lock(uow, actor, template_id)
    if not found.enabled:
        return TemplateOutcome(found, warnings=UNCHANGED)
    return TemplateOutcome(await repository.set_enabled(uow, actor, template_id, enabled=False))


async def delete(uow: UnitOfWork, actor: Actor, locked: PromptTemplate, unfinished: Sequence[str]) -> TemplateOutcome:
    """Delete a locked template that nothing unfinished needs; its versions, labels and history stay. TemplateInUse."""
    if unfinished:
        raise TemplateInUse(unfinished)
    return TemplateOutcome(await repository.delete_template(uow, actor, TemplateId(locked.id)))


async def set_label(uow: UnitOfWork, actor: Actor, move: LabelMove) -> TemplateOutcome:
    """Set, move or remove a label. ValidationError, TemplateNotFound, VersionNotFound, LabelConflict, TooManyLabels."""
    move.check()
    template = await lock(uow, actor, move.template_id)
    points_to, amount = await repository.label_in(uow, actor, move.template_id, move.label)
    if move.expected_version is not None and move.expected_version != (points_to or 0):
        raise LabelConflict(move, points_to, template)
    if points_to == move.version:
        return TemplateOutcome(template, warnings=UNCHANGED)
    if move.version is None:
        assert points_to is not None  # noqa: S101 - else it is as wanted
        return TemplateOutcome(await repository.remove_label(uow, actor, move, points_to))
    if await repository.numbered_version(uow, actor, move.template_id, move.version) is None:
        raise VersionNotFound("version", "the prompt template has no such version")
    if points_to is None and amount >= MOST_LABELS:
        raise TooManyLabels
    return TemplateOutcome(await repository.move_label(uow, actor, move, points_to))


@asynccontextmanager
async def _refusals() -> AsyncIterator[None]:
    """What a unique key of templates refuses, as what it means. The transaction is lost then."""
    try:
        yield
    except Duplicate as duplicate:
        match duplicate.key:
            case repository.ONE_NAME:
                raise NameTaken from None
            case repository.ONE_ENABLED:
                # By somebody who has not locked the slot.
                raise EnabledConflict(None) from None
            case _:
                raise
