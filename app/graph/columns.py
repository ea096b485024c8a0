"""Columns on demand: what of a table's rows is read only where an operation asks for a field that shows it."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import ColumnElement, FromClause

from app.graph.context import Info
from app.graph.selection import selected

Columns = frozenset[str]
"""Those of a table's columns on demand that are asked for. Part of a loader's key: rows that differ in them differ."""


class OnDemand:
    """The columns of a table that a few fields of the graph show. All others are always read: keys, counts, flags.

    It pays for what takes long to decode (a moment or JSON half a microsecond and more, a UUID a tenth), and for texts.
    What varies is part of a statement, so those who build statements by it keep a bounded number of them.
    """

    __slots__ = ("_fields", "_long", "_table", "whole")

    def __init__(
        self,
        table: FromClause,
        fields: Mapping[str, tuple[str, ...]],
        *,
        long: tuple[str, ...] = (),
        unshown: tuple[str, ...] = (),
    ) -> None:
        """`fields` has by a field's name in the graph the columns that it shows, or that are asked for to show it.

        `long` are those of them that may hold megabytes, `unshown` columns that no field of the graph shows.
        """
        self._table = table
        self._fields = {name: frozenset(table.c[column].key for column in columns) for name, columns in fields.items()}
        self._long = frozenset(long)
        self.whole: Columns = frozenset().union(*self._fields.values(), unshown)
        """All of them, for rows that are not read for the graph alone."""

    def wanted(self, info: Info) -> Columns:
        """What the objects are asked for that a field leads to; found once for all rows of a level."""
        nodes = info._raw_info.field_nodes
        key = (self, id(nodes[0])) if len(nodes) == 1 else (self, *map(id, nodes))
        known = info.context.selections
        if key not in known:
            fields = self._fields
            known[key] = frozenset().union(*(fields[name] for name in selected(info) & fields.keys()))
        return known[key]

    def read(self, columns: Columns) -> list[ColumnElement[Any]]:
        """The columns that are always read, and of those on demand these."""
        return [column for column in self._table.c if column.key not in self.whole or column.key in columns]

    def together(self, asked: Iterable[Columns]) -> dict[Columns, Columns]:
        """With which columns to read the rows that these are asked for of, in as few statements as can be.

        Fields of one level that lead to the same table share a statement, as if all had asked for the same; but what
        may be long is read for nobody who has not asked for it.
        """
        sets = set(asked)
        if len(sets) == 1:
            return {columns: columns for columns in sets}
        read: dict[Columns, Columns] = defaultdict(frozenset)
        for columns in sets:
            read[columns & self._long] |= columns
        return {columns: read[columns & self._long] for columns in sets}
