"""What is told of places in the tree of messages."""

from typing import NamedTuple
from uuid import UUID

from app.core.paging import PageRequest


class Place(NamedTuple):
    """Where a message hangs."""

    message_id: UUID
    session_id: UUID
    parent_id: UUID | None
    """None for the first messages of a session."""


class Siblings(NamedTuple):
    """A message among those that answer the same one, or among the first ones of its session; deleted ones count."""

    message_id: UUID
    position: int
    """1, 2, 3 … by sequence number."""
    total: int
    previous_id: UUID | None
    next_id: UUID | None


class PathRequest(NamedTuple):
    """A part of the path that leads to a leaf."""

    session_id: UUID
    leaf_id: UUID | None
    """None where the session has no messages."""
    page: PageRequest
    large: frozenset[str]
    """The large columns of its messages that are asked for."""
