"""Statements: written as SQLAlchemy expressions, compiled once, run by asyncpg, returning light records.

SQLAlchemy's own execution costs several times what PostgreSQL needs for a row by its key; compiled once, a statement is
a string and a list of parameter names. Hence one rule: what varies between two runs is a named parameter (`:name`).
It is compiled when it is first run: a process that starts need not wait for two hundred that it may never send.
"""

from collections import namedtuple
from collections.abc import Mapping
from functools import lru_cache, partial
from typing import Any, Generic, TypeVar, cast, get_type_hints

import asyncpg
from sqlalchemy import (
    BindParameter,
    ColumnElement,
    DateTime,
    Delete,
    Executable,
    Insert,
    Select,
    Update,
    bindparam,
    func,
)
from sqlalchemy.dialects.postgresql.asyncpg import dialect as asyncpg_dialect
from sqlalchemy.sql.type_api import TypeEngine

from app.core.ids import global_id_reader
from app.db.base import Base

R = TypeVar("R")

_DIALECT = asyncpg_dialect()  # type: ignore[no-untyped-call]

_COMPILED = frozenset({"sql", "_names", "_required", "_constants", "_make"})


def param(name: str, kind: TypeEngine[Any] | type[TypeEngine[Any]] | None = None) -> BindParameter[Any]:
    """A value that is given when the statement runs. `kind` where the expression around it does not tell its type."""
    return bindparam(name, type_=kind, required=True)


def past(name: str) -> ColumnElement[Any]:
    """A moment that is given when the statement runs: none, and one that is yet to come, are the present."""
    # least() passes over null.
    return func.least(param(name, DateTime(timezone=True)), func.statement_timestamp())


class Statement(Generic[R]):
    """A statement that returns records of `R`: a table's class, or a NamedTuple with the columns in their order."""

    __slots__ = ("_constants", "_expression", "_make", "_names", "_record", "_required", "sql")

    sql: str
    _names: tuple[str, ...]
    _required: set[str]
    _constants: dict[str, object]
    _make: Any

    def __init__(self, record: type[R], expression: Executable) -> None:
        self._record = record
        self._expression: Executable | None = expression

    def __getattr__(self, name: str) -> Any:
        """Called for what is not there yet, the first time: then it is compiled."""
        if name not in _COMPILED:
            raise AttributeError(name)
        self._compile()
        return object.__getattribute__(self, name)

    def _compile(self) -> None:
        expression = self._expression
        compiled = expression.compile(dialect=_DIALECT)  # type: ignore[union-attr]
        sql: str = compiled.string
        if "POSTCOMPILE" in sql:
            raise TypeError("a list inside IN is written into each statement anew: use = any(param)")
        self._make = _record_maker(self._record, tuple(column.key for column in _columns(expression)))
        self._names = tuple(compiled.positiontup or ())
        self._required = {name for name, bound in compiled.binds.items() if bound.required}
        self._constants = {name: bound.effective_value for name, bound in compiled.binds.items() if not bound.required}
        self.sql = sql
        # Ten times as large as all that is kept of it: a statement of many shapes would hold on to a hundred of them.
        self._expression = None

    def arguments(self, values: Mapping[str, object]) -> list[object]:
        """The values in the order of the statement's `$1, $2 …`; TypeError when one is missing or unknown."""
        if values.keys() != self._required:
            raise TypeError(f"wrong parameters: {sorted(values.keys() ^ self._required)}")
        constants = self._constants
        return [values[name] if name in values else constants[name] for name in self._names]

    def records(self, found: list[asyncpg.Record]) -> list[R]:
        """The rows as light records."""
        return list(map(self._make, found))


class Query(Statement[R]):
    """A statement that only reads: every scope runs it."""


class ReplannedQuery(Query[R]):
    """A query that is planned for its values every time, for one more round trip.

    For where the values decide the plan. After five runs PostgreSQL tries one plan for all values, and takes what it
    guesses of unknown words for cheap: a search by common words took 20 to 30 times as long from the sixth run on.
    """

    __slots__ = ()


class Command(Statement[R]):
    """A statement that writes: only a unit of work runs it."""


class LibraryCommand(Command[R]):
    """A command whose text a library owns: run in our units of work, never rewritten by us."""

    __slots__ = ()

    def __init__(self, record: type[R], sql: str, names: tuple[str, ...], columns: tuple[str, ...]) -> None:
        """`names` are what its `$1, $2 …` stand for, in their order; `columns` what it returns."""
        self.sql = sql
        self._names = names
        self._required = set(names)
        self._constants = {}
        self._make = _record_maker(record, columns)


def _columns(expression: Executable | None) -> Any:
    if isinstance(expression, Insert | Update | Delete):
        return expression.exported_columns
    return cast("Select[Any]", expression).selected_columns


def _record_maker(record: type[R], names: tuple[str, ...]) -> Any:
    if issubclass(record, Base):
        # What `_make` does, without the count: these columns are the statement's own.
        return partial(tuple.__new__, _light_class(record, names))
    fields: tuple[str, ...] | None = getattr(record, "_fields", None)
    if fields is not None:
        if fields != names:
            raise TypeError(f"{record.__name__} has the fields {fields}, the statement the columns {names}")
        return record._make  # type: ignore[attr-defined]
    if len(names) > 1:
        raise TypeError(f"one value per row was declared ({record.__name__}), the statement has {names}")
    return lambda row: row[0] if row else None


@lru_cache(maxsize=1024)
def _light_class(table: type[Base], names: tuple[str, ...]) -> Any:
    # A namedtuple: built from a record at C speed, attributes as fast as slots, and nobody can change it.
    # Computed attributes are the table class's properties.
    unknown = set(names) - {*get_type_hints(table), *table.__table__.columns.keys()}
    if unknown:
        raise TypeError(f"{table.__name__} has no attribute {sorted(unknown)}")
    light = namedtuple(table.__name__, names)  # type: ignore[misc]
    computed = {
        name: value
        for ancestor in reversed(table.__mro__)
        for name, value in vars(ancestor).items()
        if isinstance(value, property) and not name.startswith("_")
    }
    if table.global_id is Base.global_id and isinstance(table.node_type, str):
        computed["global_id"] = property(global_id_reader(table.node_type))
    return type(table.__name__, (light,), {"__slots__": (), "node_type": table.node_type, **computed})
