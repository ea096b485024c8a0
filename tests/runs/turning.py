"""Short ways to offer tools, to bring their results, and to look at the turns of a run."""

from typing import Any
from uuid import UUID

from app.core.actor import Actor
from app.runs.models import Run
from app.toolbox.values import GivenTool
from app.tools.pipeline import ToolPipeline
from app.tools.service import ExecutionOutcome
from app.tools.values import Decision, ExecutionStatus, ToolExecutionId
from tests.conversations import eventually, rows, value
from tests.llm.provider_servers import Reply, openai_tool_calls
from tests.runs.conftest import Process

WEATHER = GivenTool(
    "weather",
    "Tells the weather of a city.",
    {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
)
RISKY = GivenTool("delete_file", "Deletes a file.", requires_approval=True)
CLOCK = GivenTool("current_time")

ROME, OSLO = '{"city": "Rome"}', '{"city": "Oslo"}'


def calls_weather(*cities: str, text: str = "", usage: dict[str, Any] | None = None) -> Reply:
    """An answer that asks for the weather of some cities; the ids of the calls are `in-<city>`."""
    calls = [(f"in-{city}", "weather", f'{{"city": "{city}"}}') for city in cities]
    return openai_tool_calls(*calls, text=text, usage=usage)


async def waits(dsn: str, run: Run) -> None:
    """Return once a run waits for its tools."""
    await eventually(lambda: value(dsn, "SELECT status FROM runs WHERE id = $1", run.id), "requires_action")


async def executions(dsn: str, run: Run) -> list[dict[str, Any]]:
    """What a run asked for, in the order it did."""
    asked = """
        SELECT e.*, c.call_id, c.position FROM tool_executions e JOIN tool_calls c ON c.id = e.tool_call_id
        WHERE e.run_id = $1 ORDER BY e.created_at, c.position"""
    return [dict(row) for row in await rows(dsn, asked, run.id)]


async def report(
    process: Process, actor: Actor, execution: UUID, output: str | None = None, error: str | None = None
) -> ExecutionOutcome:
    """End an execution as the client that was asked for it."""
    status = ExecutionStatus.COMPLETED if error is None else ExecutionStatus.FAILED
    changes = {"status": status, "output": output, "error": error}
    pipeline: ToolPipeline = process.services[ToolPipeline]
    return await pipeline.update(process.database, actor, ToolExecutionId(execution), changes, None)


async def decide(
    process: Process, actor: Actor, execution: UUID, *, approve: bool, comment: str | None = None
) -> ExecutionOutcome:
    """Approve or deny an execution as the person who was asked."""
    pipeline: ToolPipeline = process.services[ToolPipeline]
    decision = Decision(ToolExecutionId(execution), approve, comment)
    return await pipeline.decide(process.database, actor, decision, None)


async def conversation(dsn: str, run: Run) -> list[tuple[str, str, str, str | None]]:
    """Role, status, text and call of each message of the run's session that leads to the one it is at."""
    path = """
        WITH RECURSIVE path AS (
          SELECT m.*, 1 AS depth FROM chat_messages m JOIN runs r ON r.message_id = m.id WHERE r.id = $1
          UNION ALL
          SELECT m.*, depth + 1 FROM chat_messages m JOIN path ON m.id = path.parent_message_id
        ) SELECT role, status, content, tool_call_id FROM path ORDER BY depth DESC"""
    return [tuple(row) for row in await rows(dsn, path, run.id)]
