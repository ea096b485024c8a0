"""The tables of runs and pieces of statements about them."""

from typing import Any

from sqlalchemy import Text, Uuid, func, literal, true
from sqlalchemy.dialects.postgresql import aggregate_order_by

from app.db.base import table_of
from app.db.statement import param
from app.runs.models import Run, RunEvent, UsageEntry
from app.runs.values import LIVE, EntryKind

runs = table_of(Run)
run_events = table_of(RunEvent)
ledger = table_of(UsageEntry)

LIVE_STATUSES = [literal(status.value, Text) for status in sorted(LIVE)]
"""Of runs that hold their session's turn, or wait for it."""
LIVE_RUNS = runs.c.status.in_(LIVE_STATUSES).is_(true())
"""For runs that are found by a key. IS TRUE keeps the index of all live runs out of it: on a table without statistics
the planner thinks it as good as the key, and reads everybody's live runs for each."""

LINES = (run_events.c.tenant_id == param("tenant_id"), run_events.c.run_id == param("run_id", Uuid))
"""Of one run. Parameters: tenant_id, run_id."""


def is_kind(kind: EntryKind) -> Any:
    """Whether a line is of a kind."""
    return run_events.c.kind == literal(kind.value, Text)


def is_end() -> Any:
    """Whether a line is a run's last."""
    return run_events.c.kind.in_([literal(kind.value, Text) for kind in EntryKind if kind.last])


def answer_text() -> Any:
    """All pieces of the selected lines in their order, as one text."""
    pieces = func.string_agg(
        run_events.c.payload["text"].astext, aggregate_order_by(literal("", Text), run_events.c.seq.asc())
    )
    return func.coalesce(pieces.filter(is_kind(EntryKind.DELTA)), "")
