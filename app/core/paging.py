"""Pages of a list: what was asked for, keyset cursors, and what is returned."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

import orjson

from app.core.errors import InvalidCursor, ValidationError
from app.core.text import storable

MOST_PER_PAGE = 100
"""Largest `first` or `last`."""

LONGEST_CURSOR = 2_400
"""A list by name has cursors of up to 255 characters, of six bytes each where JSON must escape them."""

R = TypeVar("R")

CursorKey = tuple[str | int, ...]
"""The values of the columns a list is ordered by, of one row, as JSON can carry them."""


@dataclass(frozen=True, slots=True)
class PageRequest:
    """A part of a list: `limit` rows after a position, or, `backward`, before one."""

    limit: int
    backward: bool = False
    after: str | None = None
    before: str | None = None

    @classmethod
    def of(
        cls, first: int | None, last: int | None, after: str | None, before: str | None, default: int
    ) -> "PageRequest":
        """Relay's four arguments, checked; `default` rows from the start when neither `first` nor `last` is given."""
        if first is not None and last is not None:
            raise ValidationError("first and last exclude each other", field="last", hint="send one of them")
        for name, value in (("first", first), ("last", last)):
            if value is not None and not 1 <= value <= MOST_PER_PAGE:
                raise ValidationError(
                    f"{name} must be between 1 and {MOST_PER_PAGE}, not {value}",
                    field=name,
                    hint="ask for the next page with a cursor",
                )
        if last is not None:
            return cls(last, backward=True, after=after, before=before)
        return cls(first if first is not None else default, after=after, before=before)


@dataclass(frozen=True, slots=True)
class ListName:
    """Which list a cursor belongs to: its kind and order, and its parent where it hangs on one."""

    kind: str
    parent: UUID | None = None

    def encode(self, key: Sequence[object]) -> str:
        """The opaque cursor of the row whose ordering columns have the values `key`."""
        return urlsafe_b64encode(orjson.dumps([self._tag(), *key], default=str)).decode()

    def decode(self, cursor: str | None, types: Sequence[type], argument: str) -> list[Any] | None:
        """The values inside `cursor`, converted to `types`; InvalidCursor when this list did not make it."""
        if cursor is None:
            return None
        try:
            if len(cursor) > LONGEST_CURSOR:
                raise ValueError  # noqa: TRY301 - one way out for every kind of malformed text
            tag, *key = orjson.loads(urlsafe_b64decode(cursor.encode("ascii")))
            if tag == self._tag() and len(key) == len(types):
                return [_convert(value, kind) for value, kind in zip(key, types, strict=True)]
        except (Base64Error, ValueError, TypeError, OverflowError):
            raise _invalid(argument, f"{argument} is not a cursor") from None
        raise _invalid(argument, f"{argument} is a cursor of another list or order")

    def _tag(self) -> str:
        return self.kind if self.parent is None else f"{self.kind}:{self.parent}"


def _convert(value: object, kind: type) -> object:
    if kind is datetime:
        moment = datetime.fromisoformat(str(value))
        if moment.tzinfo is None:
            raise ValueError("a cursor's time has an offset")
        return moment.astimezone(UTC)
    if kind is UUID:
        return UUID(str(value))
    if kind is int:
        # A bool is an int to isinstance; a number beyond bigint is refused by the database, too late.
        if type(value) is int and abs(value) < 2**63:
            return value
        raise ValueError("a cursor's number is a bigint")
    if kind is str:
        if isinstance(value, str) and storable(value) == value:
            return value
        raise ValueError("a cursor's text can be stored")
    raise TypeError(kind)


def _invalid(argument: str, message: str) -> InvalidCursor:
    return InvalidCursor(message, field=argument, hint="pass a cursor that this list returned, in the same order")


@dataclass(frozen=True, slots=True)
class PageInfo:
    """Whether there is more on either side, and the cursors to ask for it."""

    has_next_page: bool
    has_previous_page: bool
    start_cursor: str | None
    end_cursor: str | None


@dataclass(slots=True)
class Edge(Generic[R]):
    """One row of a page, with its place in the list."""

    node: R
    _page: "Page[R]"

    @property
    def cursor(self) -> str:
        """Where this row stands, for `after` and `before`."""
        return self._page.cursor_of(self.node)


@dataclass(slots=True)
class Page(Generic[R]):
    """A part of a list in the list's own order, whichever way it was read."""

    nodes: list[R]
    has_next_page: bool
    has_previous_page: bool
    cursor_of: Callable[[R], str]
    count: Callable[[], Awaitable[int]] = field(repr=False)
    """Counts the whole list; called only when somebody asks."""

    @classmethod
    def of(
        cls, found: list[R], request: PageRequest, cursor_of: Callable[[R], str], count: Callable[[], Awaitable[int]]
    ) -> "Page[R]":
        """A page of up to `limit + 1` rows that were read in the request's direction; an extra one says it goes on."""
        more = len(found) > request.limit
        rows = found[: request.limit]
        if request.backward:
            rows.reverse()
            return cls(rows, request.before is not None, more, cursor_of, count)
        return cls(rows, more, request.after is not None, cursor_of, count)

    @property
    def edges(self) -> list[Edge[R]]:
        """The rows with their cursors."""
        return [Edge(row, self) for row in self.nodes]

    @property
    def page_info(self) -> PageInfo:
        """Whether there is more on either side."""
        return PageInfo(
            self.has_next_page,
            self.has_previous_page,
            self.cursor_of(self.nodes[0]) if self.nodes else None,
            self.cursor_of(self.nodes[-1]) if self.nodes else None,
        )
