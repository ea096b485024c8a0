"""Keyset pages in SQL: every page costs what the first one costs, however far down the list it is."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ARRAY, BigInteger, ColumnElement, Integer, Select, Uuid, func, select, true, tuple_

from app.core.paging import ListName, PageRequest
from app.db.statement import param


@dataclass(frozen=True, slots=True)
class PageShape:
    """What of a page request decides the SQL; the rest are parameters."""

    backward: bool
    after: bool
    before: bool

    @classmethod
    def of(cls, request: PageRequest) -> "PageShape":
        """The shape of a request."""
        return cls(request.backward, request.after is not None, request.before is not None)


def position(column: ColumnElement[Any], name: str) -> ColumnElement[Any]:
    """The parameter `name` for a cursor's value of a column: a number may be any bigint, whatever the column holds."""
    return param(name, BigInteger if isinstance(column.type, Integer) else column.type)


@dataclass(frozen=True, slots=True)
class Order:
    """What a list is ordered by: columns that are unique together, all in one direction, and their Python types."""

    columns: tuple[ColumnElement[Any], ...]
    types: tuple[type, ...]
    descending: bool = False

    def page(self, rows: Select[Any], shape: PageShape) -> Select[Any]:
        """`rows`, from the position of the request on, in its direction, one more than it asks for.

        Parameters: limit, and after_0, after_1 … or before_0 … for each column where the request has such a cursor.
        """
        key = self.columns[0] if len(self.columns) == 1 else tuple_(*self.columns)
        if shape.after:
            rows = rows.where(key < self._position("after") if self.descending else key > self._position("after"))
        if shape.before:
            rows = rows.where(key > self._position("before") if self.descending else key < self._position("before"))
        downwards = self.descending != shape.backward
        ordered = [column.desc() if downwards else column.asc() for column in self.columns]
        return rows.order_by(*ordered).limit(param("limit", BigInteger))

    def parameters(self, request: PageRequest, name: ListName) -> dict[str, object]:
        """The parameters of `page`; InvalidCursor when a cursor is not one of the list `name`."""
        values: dict[str, object] = {"limit": request.limit + 1}
        for argument, cursor in (("after", request.after), ("before", request.before)):
            for index, value in enumerate(name.decode(cursor, self.types, argument) or ()):
                values[f"{argument}_{index}"] = value
        return values

    def _position(self, argument: str) -> Any:
        values = [position(column, f"{argument}_{index}") for index, column in enumerate(self.columns)]
        return values[0] if len(values) == 1 else tuple_(*values)


def page_of_each(rows: Select[Any], parent: ColumnElement[Any], order: Order, shape: PageShape) -> Select[Any]:
    """The same page of the rows of each parent, in one statement: one index scan a parent, whatever their number.

    `rows` is the unordered selection, `parent` its column. Parameters: parents (their ids), and those of `order.page`.
    A lateral join with a limit can only be run as a loop over the parents, so the rows of each come in their order.
    """
    parents = func.unnest(param("parents", ARRAY(Uuid))).table_valued("id").render_derived(name="parents")
    each = order.page(rows.where(parent == parents.c.id), shape).correlate(parents).lateral("each")
    return select(*each.c).select_from(parents.join(each, true()))
