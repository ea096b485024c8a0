"""A template as it was read, and what became of it."""

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

from app.prompts.values import PastTemplate


class Verdict(StrEnum):
    """How a template of a file stands to the library."""

    NEW = "new"
    SAME = "same"
    DIFFERS = "differs"
    CONFLICT = "conflict"


@dataclass(frozen=True, slots=True)
class ReadTemplate:
    """A template of a file: all but its place among others is checked."""

    number: int
    """Of its line or member in the file."""
    past: PastTemplate
    declares: bool
    """Whether the file says what its variables are; else they are those that its content uses."""
    staged: bool
    """Whether the file says what stage it is for; else it is for none, or the one that it is for here."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found about one template, and done unless it was only compared."""

    number: int
    verdict: Verdict
    id: UUID | None = None
    name: str | None = None
    fields: tuple[str, ...] = ()
    """Those that differ."""
    diff: str = ""
    reason: str | None = None
    """Of a conflict."""


@dataclass(slots=True)
class LibraryTotals:
    """What became of the files. Changed while they are read."""

    found: Counter[Verdict] = field(default_factory=Counter)
    ignored: set[str] = field(default_factory=set)
    """Columns that a template has no place for."""
    only_here: int = 0
    """Templates of the library that no file has."""

    @property
    def is_equal(self) -> bool:
        """Whether the files have nothing that the library has not, in the same words."""
        return self.found.total() == self.found[Verdict.SAME]
