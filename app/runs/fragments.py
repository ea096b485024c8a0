"""The tables of runs and pieces of statements about them."""

from sqlalchemy import Text, literal

from app.db.base import table_of
from app.runs.models import Run, RunEvent, UsageEntry
from app.runs.values import LIVE

runs = table_of(Run)
run_events = table_of(RunEvent)
ledger = table_of(UsageEntry)

LIVE_STATUSES = [literal(status.value, Text) for status in sorted(LIVE)]
"""Of runs that hold their session's turn, or wait for it."""
LIVE_RUNS = runs.c.status.in_(LIVE_STATUSES)
