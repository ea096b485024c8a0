"""What is erased, and what is counted."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

OWNER_COLUMNS = ("user_id", "owner_id")
"""A row with one of these belongs to the user that it names."""

ACTOR_COLUMNS = (
    "actor", "created_by", "updated_by", "decided_by", "requested_by", "executed_by", "approved_by", "moved_by",
    "revoked_by",
)  # fmt: skip
"""A row with one of these says who did something, perhaps in what belongs to somebody else: it stays, unnamed."""

STREAM_COLUMNS = ("session_id", "stream_id")
"""Of rows that outlive their session. Those of a session that is there are no one's to erase yet."""


class ErasedRows(NamedTuple):
    """How many rows of one table."""

    table: str
    amount: int


@dataclass(frozen=True, slots=True)
class Erasure:
    """What was erased, and whether the same request had done it before."""

    rows: Mapping[str, int]
    deduplicated: bool = False

    @property
    def by_table(self) -> list[ErasedRows]:
        """The tables that had rows, by name."""
        return [ErasedRows(table, amount) for table, amount in sorted(self.rows.items()) if amount]


Counted = Counter[str]
"""Rows by table."""
