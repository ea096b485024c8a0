"""What the command line makes of libraries of prompts."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from app.core.actor import CorrelationId, TenantId, UserId
from app.db.database import Database
from app.exchange.errors import UnusableFile
from app.exchange.files.targets import written_file
from app.exchange.library import display
from app.exchange.library.runner import import_library
from app.exchange.library.values import Finding, LibraryTotals, Verdict
from app.exchange.values import Ownership
from app.identity.service import local_actor
from app.identity.values import SYSTEM_USER
from app.prompts.taking_over import everything

SAME = 0
"""Exit code when all was taken over; of a dry run, when nothing differs."""
DIFFERENT = 1
"""Exit code when something could not be taken over; of a dry run, also when something differs."""


class Opened(Protocol):
    """A container, of which no more is needed."""

    @property
    def database(self) -> Database:
        """The process's."""


@dataclass(frozen=True, slots=True)
class LibraryAsked:
    """What the operator asked for."""

    files: tuple[Path, ...]
    tenant: TenantId
    user: UserId
    """Whom the history names."""
    correlation: CorrelationId
    dry_run: bool = False
    as_json: bool = False


async def import_prompts(
    opened: AbstractAsyncContextManager[Opened], asked: LibraryAsked, write: Callable[[str], None]
) -> int:
    """Take over or compare libraries, and tell what became of them; the exit code. UnusableFile, ImportStopped."""
    owner = Ownership(asked.tenant, asked.user, None, asked.correlation)
    for path in asked.files:
        if not path.exists():
            raise UnusableFile(path, "No such file or directory")
    actor = local_actor(owner.user, owner.tenant, owner.correlation)

    totals = LibraryTotals()

    def tell(finding: Finding) -> None:
        for line in [display.as_json(finding)] if asked.as_json else display.told(finding):
            write(line)

    async with opened as container, display.progress_of(totals):
        await import_library(container.database, actor, asked.files, tell, totals, dry_run=asked.dry_run)
    if asked.as_json:
        write(display.summary_as_json(totals, dry_run=asked.dry_run))
    else:
        for line in display.summary(totals, dry_run=asked.dry_run):
            write(line)
    return _exit_code(totals, dry_run=asked.dry_run)


async def export_prompts(
    opened: AbstractAsyncContextManager[Opened], tenant: TenantId, correlation: CorrelationId, output: Path | None
) -> int:
    """Write all templates of a tenant, one per line, as `import_prompts` takes them; how many. UnusableTarget."""
    owner = Ownership(tenant, SYSTEM_USER, None, correlation)
    actor = local_actor(owner.user, owner.tenant, owner.correlation)
    written = 0
    async with opened as container:
        with written_file(output) as target:
            async for template in everything(container.database, actor):
                target.write(display.line_of(template) + b"\n")
                written += 1
    return written


def _exit_code(totals: LibraryTotals, *, dry_run: bool) -> int:
    if totals.found[Verdict.CONFLICT]:
        return DIFFERENT
    return DIFFERENT if dry_run and not totals.is_equal else SAME
