"""What a stream is named by, and what its entries have in common."""

from typing import Any, NamedTuple, Protocol
from uuid import UUID


class StreamKey(NamedTuple):
    """One numbered log: a run's answer, a session's events. Ids are unique over all tenants; statements name both."""

    tenant_id: str
    id: UUID


class Entry(Protocol):
    """One line of a stream: committed, and never changed."""

    @property
    def seq(self) -> Any:
        """Its number: 1, 2, 3 …, and later ones are committed later."""
