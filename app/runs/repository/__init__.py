"""Every statement that writes runs, their logs and the ledger."""

from app.runs.repository.answers import Written, append, call_tool, written
from app.runs.repository.lifecycle import begin, by_ref, end, lock, lock_live, owned_run, promote, queue
from app.runs.repository.upkeep import begun_before, compact, forgotten

__all__ = [
    "Written",
    "append",
    "begin",
    "begun_before",
    "by_ref",
    "call_tool",
    "compact",
    "end",
    "forgotten",
    "lock",
    "lock_live",
    "owned_run",
    "promote",
    "queue",
    "written",
]
