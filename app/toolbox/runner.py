"""Runs the server's own tools: takes an execution from its job, and brings what comes of it to the run that waits."""

import asyncio
from collections.abc import Mapping
from typing import Any

import orjson
import structlog

from app.core.actor import Actor, CorrelationId, TenantId, UserId
from app.core.errors import AppError, ErrorCode
from app.core.ids import new_id, parse_uuid
from app.core.logging import correlate
from app.core.text import storable
from app.db.database import Database
from app.db.errors import DatabaseUnavailable
from app.identity.values import USER_ROLES
from app.jobs.values import GiveBack
from app.toolbox.service import Toolbox
from app.tools.errors import ExecutionNotFound, ExecutionTransition
from app.tools.pipeline import ToolPipeline
from app.tools.service import input_of
from app.tools.values import LONGEST_ERROR, LONGEST_OUTPUT, ExecutionStatus, ToolExecutionId

log = structlog.get_logger("colloquy.toolbox")

LONGEST_RUN_SECONDS = 20.0
"""Of one tool: below the time limit of a statement, and far above what any of them takes."""

PAUSE_SECONDS = 1.0
"""Before a tool is tried again, while the database does not answer."""

Outcome = Mapping[str, Any]
"""The last changes of an execution."""


class ToolRunner:
    """One per process, without state. An execution is run at least once: its tool only reads."""

    def __init__(
        self,
        database: Database,
        executions: ToolPipeline,
        toolbox: Toolbox,
        longest_seconds: float = LONGEST_RUN_SECONDS,
    ) -> None:
        self._database = database
        self._executions = executions
        self._toolbox = toolbox
        self._longest_seconds = longest_seconds

    async def work(self, payload: bytes) -> None:
        """Run the execution that a job names, unless it has ended: also where a process died that had begun it."""
        # A release before this one named no correlation id.
        tenant_id, user_id, execution_id, *correlation = orjson.loads(payload)
        found_by = CorrelationId(correlation[0] if correlation else str(new_id()))
        correlate(found_by)
        actor = Actor(TenantId(tenant_id), UserId(user_id), USER_ROLES, found_by)
        wanted = ToolExecutionId(parse_uuid(execution_id))
        async with self._database.read() as scope:
            found = await input_of(scope, actor, wanted)
        if found is None:
            return
        try:
            await self._change(actor, wanted, {"status": ExecutionStatus.RUNNING})
            outcome = await self._outcome(actor, found.tool_name, found.input)
            await self._change(actor, wanted, outcome)
        except (ExecutionNotFound, ExecutionTransition) as refusal:
            # Called off, deleted, or ended by whoever else ran it.
            log.info("tool_not_run", execution=execution_id, reason=refusal.message)
        except DatabaseUnavailable as error:
            # For as long as it takes: a run waits for the outcome.
            raise GiveBack(PAUSE_SECONDS) from error

    async def _change(self, actor: Actor, execution_id: ToolExecutionId, changes: Outcome) -> None:
        await self._executions.update(self._database, actor, execution_id, dict(changes), None)

    async def _outcome(self, actor: Actor, name: str, input_: str) -> Outcome:
        """What comes of a tool; whatever it raises is told to the model, in words that are fit for it."""
        tool = self._toolbox.tools.get(name)
        if tool is None:
            return _failed("this server has no such tool any more")
        try:
            async with asyncio.timeout(self._longest_seconds):
                output = await tool.run(self._database, actor, orjson.loads(input_))
        except TimeoutError:
            return _failed(f"the tool took longer than {self._longest_seconds:.0f} seconds")
        except DatabaseUnavailable:
            raise
        except AppError as error:
            return _failed(f"{error.message} ({error.hint})" if error.hint else error.message)
        except Exception:
            log.exception("tool_failed", tool=name)
            return _failed(f"{ErrorCode.INTERNAL_SERVER_ERROR.value}: something went wrong in the tool")
        return {"status": ExecutionStatus.COMPLETED, "output": storable(output)[:LONGEST_OUTPUT]}


def _failed(error: str) -> Outcome:
    return {"status": ExecutionStatus.FAILED, "error": storable(error)[:LONGEST_ERROR]}
