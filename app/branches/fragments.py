"""Pieces of statements that walk the tree of messages; each step is one look into an index, however large the table."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import CTE, ColumnElement, Integer, Select, literal, select, true

from app.db.statement import param
from app.messages.fragments import messages

STEP = ("id", "session_id", "parent_message_id", "sequence_number")
"""The columns of a message that a walk needs."""

GoesOn = Callable[[Any, Any], Sequence[ColumnElement[bool]]]
"""Conditions of the message a walk has come to, and of the one it would go on to; the former has its `depth` too."""


Measures = Mapping[str, Callable[[Any], ColumnElement[Any]]]
"""What a walk works out of each message that it comes to, beside its columns: names, and expressions of a table."""


def upwards(
    start: Select[Any], names: Sequence[str], goes_on: GoesOn = lambda _at, _to: (), measures: Measures | None = None
) -> CTE:
    """The messages of `start`, what they answer, what that answers … as long as the conditions of `goes_on` hold.

    `start` selects the columns `names` of messages, of which STEP is a part, and then those of `measures` in their
    order. Columns: these, and `depth`: 1, 2, 3 …
    """
    path, before = _begun(start), messages.alias("before")
    worked_out = [measure(before).label(name) for name, measure in (measures or {}).items()]
    step = _step(path, before, names, before.c.id == path.c.parent_message_id, more=worked_out)
    names = [*names, *(measures or {})]
    return path.union_all(_next(path, step, names).where(*goes_on(path, step)))


def newest_downwards(start: Select[Any], names: Sequence[str]) -> CTE:
    """The message of `start`, of its answers the newest, of that one's answers the newest … Columns as of `upwards`."""
    path, after = _begun(start), messages.alias("after")
    newest_first = after.c.sequence_number.desc()
    step = _step(path, after, names, after.c.parent_message_id == path.c.id, newest_first)
    return path.union_all(_next(path, step, names))


def _begun(start: Select[Any]) -> CTE:
    return start.add_columns(literal(1, Integer).label("depth")).cte("path", recursive=True)


def _step(
    path: CTE,
    table: Any,
    names: Sequence[str],
    condition: ColumnElement[bool],
    *order: ColumnElement[Any],
    more: Sequence[Any] = (),
) -> Any:
    """The one message to go on to.

    With a limit it can only be looked for once for each message of the path, in the index; joined without, the planner
    may read the whole table for each.
    """
    found = select(*(table.c[name] for name in names), *more).where(table.c.tenant_id == param("tenant_id"), condition)
    return found.order_by(*order).limit(1).correlate(path).lateral("step")


def _next(path: CTE, step: Any, names: Sequence[str]) -> Select[Any]:
    columns = [step.c[name] for name in names]
    return select(*columns, (path.c.depth + 1).label("depth")).select_from(path.join(step, true()))
