"""How a prompt is changed: each time in one transaction, which is told apart by its client key."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from app.core.actor import Actor
from app.db.database import Database
from app.db.scopes import UnitOfWork
from app.idempotency.service import earlier_subject
from app.idempotency.values import ClientKey
from app.prompts import service
from app.prompts.service import TemplateOutcome
from app.prompts.values import LabelMove, NewTemplate, TemplateId

_Work = Callable[[UnitOfWork], Awaitable[TemplateOutcome]]


class TemplateUses(Protocol):
    """A room above whose unfinished work needs templates."""

    async def unfinished(self, uow: UnitOfWork, actor: Actor, template_id: TemplateId) -> Sequence[str]:
        """Global ids of the runs that are not finished and need the template, a few of them; none: it may go.

        Called in a transaction that has the template locked: whoever has it held (`service.hold`) has committed.
        """


@dataclass(frozen=True, slots=True)
class PromptPipeline:
    """One per process, without state. Every change: NotAnEditor, KeyReused."""

    uses: tuple[TemplateUses, ...] = ()

    async def create(
        self, database: Database, actor: Actor, new: NewTemplate, key: ClientKey | None
    ) -> TemplateOutcome:
        """Store a template with its first version. ValidationError, NameTaken, EnabledConflict."""
        new.check()
        return await _once(database, actor, new.id, key, lambda uow: service.create(uow, actor, new), of_text=True)

    async def update(
        self,
        database: Database,
        actor: Actor,
        template_id: TemplateId,
        expected_version: int,
        changes: dict[str, Any],
        key: ClientKey | None,
    ) -> TemplateOutcome:
        """Add a version. Errors as of `service.update`."""

        async def work(uow: UnitOfWork) -> TemplateOutcome:
            return await service.update(uow, actor, template_id, expected_version, changes)

        return await _once(database, actor, template_id, key, work, of_text=True)

    async def enable(
        self, database: Database, actor: Actor, template_id: TemplateId, key: ClientKey | None, *, replace_enabled: bool
    ) -> TemplateOutcome:
        """Enable a template. Errors as of `service.enable`."""

        async def work(uow: UnitOfWork) -> TemplateOutcome:
            return await service.enable(uow, actor, template_id, replace_enabled=replace_enabled)

        return await _once(database, actor, template_id, key, work)

    async def disable(
        self, database: Database, actor: Actor, template_id: TemplateId, key: ClientKey | None
    ) -> TemplateOutcome:
        """Disable a template. TemplateNotFound."""
        return await _once(database, actor, template_id, key, lambda uow: service.disable(uow, actor, template_id))

    async def delete(
        self, database: Database, actor: Actor, template_id: TemplateId, key: ClientKey | None
    ) -> TemplateOutcome:
        """Delete a template that nothing unfinished needs. TemplateNotFound, TemplateInUse."""

        async def work(uow: UnitOfWork) -> TemplateOutcome:
            locked = await service.lock(uow, actor, template_id)
            # Asked behind the lock, in statements of their own: what was stored while it was waited for is seen.
            unfinished = [run for uses in self.uses for run in await uses.unfinished(uow, actor, template_id)]
            return await service.delete(uow, actor, locked, unfinished)

        return await _once(database, actor, template_id, key, work)

    async def set_label(
        self, database: Database, actor: Actor, move: LabelMove, key: ClientKey | None
    ) -> TemplateOutcome:
        """Set, move or remove a label. Errors as of `service.set_label`."""
        return await _once(database, actor, move.template_id, key, lambda uow: service.set_label(uow, actor, move))


async def _once(
    database: Database,
    actor: Actor,
    template_id: TemplateId,
    key: ClientKey | None,
    work: _Work,
    *,
    of_text: bool = False,
) -> TemplateOutcome:
    """What comes of `work`, by an editor; the template as it is now where the same request has done it before.

    With what is worth a word about its text, where the work is `of_text`.

    The key is used first and locks come behind it: of two with one key, the second waits and holds nothing.
    """
    service.require_editor(actor)

    async def keyed(uow: UnitOfWork) -> TemplateOutcome:
        earlier = await earlier_subject(uow, actor, key, template_id)
        if earlier is not None:
            found = await service.find(uow, actor, TemplateId(earlier))
            warnings = service.warnings_of(service.text_of(found)) if of_text else ()
            return TemplateOutcome(found, warnings=warnings, deduplicated=True)
        return await work(uow)

    return await database.transact(keyed)
