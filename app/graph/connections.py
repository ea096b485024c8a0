"""Relay's connections: the types under which pages are shown, and the arguments that ask for one."""

from collections.abc import Awaitable
from typing import Annotated, Any, Generic, TypeVar

import strawberry
from strawberry import field

from app.core.paging import Page

T = TypeVar("T")

First = Annotated[int | None, strawberry.argument(description="How many from the start, or after `after`: 1 to 100.")]
After = Annotated[str | None, strawberry.argument(description="Only what follows this cursor.")]
Last = Annotated[int | None, strawberry.argument(description="How many from the end, or before `before`: 1 to 100.")]
Before = Annotated[str | None, strawberry.argument(description="Only what precedes this cursor.")]


@strawberry.type(description="Whether a list goes on beyond the page, and where.")
class PageInfo:
    has_next_page: bool = field(description="Whether more follows the page.")
    has_previous_page: bool = field(description="Whether more precedes the page.")
    start_cursor: str | None = field(description="Cursor of the first object of the page.")
    end_cursor: str | None = field(description="Cursor of the last object of the page.")


@strawberry.type(description="One object of a list, with its place.")
class Edge(Generic[T]):
    node: T = field(description="The object.")
    cursor: str = field(description="Its place in the list, for `after` and `before`.")


@strawberry.type(description="A page of a list.")
class Connection(Generic[T]):
    edges: list[Edge[T]] = field(description="The objects with their cursors.")
    nodes: list[T] = field(description="The objects alone.")
    page_info: PageInfo = field(description="Whether the list goes on.")

    @field(graphql_type=int, description="How many objects the whole list has; counted only when it is selected.")
    def total_count(self, root: strawberry.Parent[Page[Any]]) -> Awaitable[int]:
        return root.count()
