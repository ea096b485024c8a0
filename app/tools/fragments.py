"""The tables of tool calls and executions, and pieces of statements about them."""

from typing import Any

from sqlalchemy import CTE, ColumnElement, Text, Uuid, literal_column, select, true

from app.db.base import table_of
from app.db.statement import param
from app.sessions.fragments import claimed, sessions
from app.tools.models import ToolCall, ToolExecution
from app.tools.values import ENDED, ExecutionStatus

calls = table_of(ToolCall)
executions = table_of(ToolExecution)

ONE_MORE_EXECUTION: dict[str, Any] = {"tool_executions": sessions.c.tool_executions + 1}
"""The changes to a session when an execution is added."""

FACTS = [column for column in executions.c if column.name not in ("input", "output")]
"""What is read of an execution where its texts are not asked for: they may have a million characters."""


def is_status(status: ExecutionStatus) -> ColumnElement[bool]:
    """Whether an execution has a status, written into the statement: a partial index is no use to a parameter."""
    return executions.c.status == literal_column(f"'{status.value}'", Text)


AWAITING = is_status(ExecutionStatus.AWAITING_APPROVAL)
"""For lists of those that await approval, which have an index of their own."""


def has_ended(status: ColumnElement[Any]) -> ColumnElement[bool]:
    """Whether a status is the last."""
    return status.in_([literal_column(f"'{ended.value}'", Text) for ended in sorted(ENDED)])


def locked_execution() -> CTE:
    """The actor's execution `tool_execution_id` in its newest version: its session's row is locked first, then its own.

    As `locked_message`, which says why. Columns: what is asked of an execution. Parameters: tenant_id, user_id,
    tool_execution_id.
    """
    wanted = executions.c.tenant_id == param("tenant_id"), executions.c.id == param("tool_execution_id", Uuid)
    session = claimed(sessions.c.id == select(executions.c.session_id).where(*wanted).scalar_subquery())
    # IS TRUE: the index of a session's executions is no way to find one.
    after_session = (executions.c.session_id == select(session.c.id).scalar_subquery()).is_(true())
    asked = ("id", "session_id", "status", "approval_expires_at")
    return (
        select(*(executions.c[name] for name in asked))
        .where(*wanted, after_session)
        .with_for_update(key_share=True)
        .cte("locked_execution")
    )
