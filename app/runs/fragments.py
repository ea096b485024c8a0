"""The tables of runs and pieces of statements about them."""

from typing import Any

from sqlalchemy import Text, Uuid, func, literal, select, true
from sqlalchemy.dialects.postgresql import aggregate_order_by

from app.db.base import table_of
from app.db.statement import param
from app.runs.models import Run, RunEvent, RunTurn, UsageEntry
from app.runs.values import LIVE, EntryKind

runs = table_of(Run)
run_events = table_of(RunEvent)
run_turns = table_of(RunTurn)
ledger = table_of(UsageEntry)

FACTS = [column for column in runs.c if column.name not in ("tools", "output")]
"""What is read of a run: without its tools, which may be long and which its worker alone needs."""

LIVE_STATUSES = [literal(status.value, Text) for status in sorted(LIVE)]
"""Of runs that hold their session's turn, or wait for it."""
LIVE_RUNS = runs.c.status.in_(LIVE_STATUSES).is_(true())
"""For runs that are found by a key. IS TRUE keeps the index of all live runs out of it: on a table without statistics
the planner thinks it as good as the key, and reads everybody's live runs for each."""

OURS = (runs.c.tenant_id == param("tenant_id"), runs.c.id == param("run_id", Uuid))
"""One run. Parameters: tenant_id, run_id."""

LINES = (run_events.c.tenant_id == param("tenant_id"), run_events.c.run_id == param("run_id", Uuid))
"""Of one run. Parameters: tenant_id, run_id."""


_at_turn = runs.alias("at_turn")

TURN_SEQ = (
    select(_at_turn.c.turn_seq)
    .where(_at_turn.c.tenant_id == param("tenant_id"), _at_turn.c.id == param("run_id", Uuid))
    .scalar_subquery()
)
"""The number of the last line before the turn that a run is at. Parameters: tenant_id, run_id."""

TURN_MESSAGE = (
    select(_at_turn.c.message_id)
    .where(_at_turn.c.tenant_id == param("tenant_id"), _at_turn.c.id == param("run_id", Uuid))
    .scalar_subquery()
)
"""The message that a run writes in the turn it is at. Parameters: tenant_id, run_id."""


def is_kind(kind: EntryKind) -> Any:
    """Whether a line is of a kind."""
    return run_events.c.kind == literal(kind.value, Text)


def is_end() -> Any:
    """Whether a line is a run's last."""
    return run_events.c.kind.in_([literal(kind.value, Text) for kind in EntryKind if kind.last])


def answer_text() -> Any:
    """All pieces of the selected lines in their order, as one text: of the turn that the run is at.

    Parameters: tenant_id, run_id.
    """
    pieces = func.string_agg(
        run_events.c.payload["text"].astext, aggregate_order_by(literal("", Text), run_events.c.seq.asc())
    )
    return func.coalesce(pieces.filter(is_kind(EntryKind.DELTA), run_events.c.seq > TURN_SEQ), "")
