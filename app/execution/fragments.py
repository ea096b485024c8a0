"""The table of executions and pieces of statements about them."""

from sqlalchemy import ColumnElement

from app.db.base import table_of
from app.execution.models import PromptExecution
from app.runs.fragments import runs

executions = table_of(PromptExecution)

SHOWN = [
    *(column for column in executions.c if column.name != "variables"),
    *(runs.c[name] for name in ("status", "cost", "started_at", "finished_at")),
]
"""What is read of an execution, with what only its run knows; without its variables, which may be long."""


def its_run() -> ColumnElement[bool]:
    """What joins an execution with its run."""
    return (runs.c.tenant_id == executions.c.tenant_id) & (runs.c.id == executions.c.run_id)
