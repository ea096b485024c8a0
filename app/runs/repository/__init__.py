"""Every statement that writes runs, their logs and the ledger."""

from app.runs.repository.answers import Written, append, call_tool, written
from app.runs.repository.endings import call_off, end
from app.runs.repository.lifecycle import begin, by_ref, lock, lock_live, owned_run, promote, queue, terms_of
from app.runs.repository.turns import go_on
from app.runs.repository.upkeep import begun_before, compact, forgotten
from app.runs.repository.view import PathMessage, Spoken, path_before, spoken

__all__ = [
    "PathMessage",
    "Spoken",
    "Written",
    "append",
    "begin",
    "begun_before",
    "by_ref",
    "call_off",
    "call_tool",
    "compact",
    "end",
    "forgotten",
    "go_on",
    "lock",
    "lock_live",
    "owned_run",
    "path_before",
    "promote",
    "queue",
    "spoken",
    "terms_of",
    "written",
]
