"""What may be offered to a model, and what is wrong with what a model makes of it."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import orjson

from app.core.errors import ValidationError
from app.core.text import require_count, require_length
from app.db.scopes import UnitOfWork
from app.jobs.queue import enqueue
from app.jobs.values import JobKind
from app.toolbox.parameters import NO_PARAMETERS, check_parameters, complaint
from app.toolbox.values import (
    LARGEST_OFFER,
    LONGEST_DESCRIPTION,
    MOST_TOOLS,
    TOOL_NAME,
    GivenTool,
    OfferedTool,
    ServerTool,
)
from app.tools.models import ToolExecution
from app.tools.values import LONGEST_ARGUMENTS

TOOL_JOB = JobKind("tool")
"""The job that runs one of the server's own tools; its payload names the execution."""


@dataclass(frozen=True, slots=True)
class Toolbox:
    """The server's own tools, by their names. One per process, without state."""

    tools: Mapping[str, ServerTool]

    @classmethod
    def of(cls, *tools: ServerTool) -> "Toolbox":
        """A box of these."""
        return cls({tool.name: tool for tool in tools})

    async def offer(self, given: Sequence[GivenTool]) -> tuple[OfferedTool, ...]:
        """The tools that a run is to offer. ValidationError, naming the place, for what no model can be offered."""
        require_count(len(given), "tools", at_most=MOST_TOOLS)
        size = sum(len(orjson.dumps([tool.description, tool.parameters])) for tool in given)
        if size > LARGEST_OFFER:
            raise ValidationError(
                f"tools are {size:,} characters of JSON; at most {LARGEST_OFFER:,} are stored",
                field="tools",
                hint="offer fewer tools, or shorten their descriptions",
            )
        # In a thread: to check so many schemas takes a second.
        return await asyncio.to_thread(self._checked, given)

    def _checked(self, given: Sequence[GivenTool]) -> tuple[OfferedTool, ...]:
        offered: dict[str, OfferedTool] = {}
        for index, tool in enumerate(given):
            place = f"tools[{index}]"
            if not TOOL_NAME.fullmatch(tool.name):
                raise ValidationError(
                    f"{place}.name is no name of a tool",
                    field=f"{place}.name",
                    hint="use 1 to 64 of the characters a-z, A-Z, 0-9, _ and -",
                )
            if tool.name in offered:
                raise ValidationError(
                    f"two tools are called {tool.name}", field=f"{place}.name", hint="give each a name of its own"
                )
            own = self.tools.get(tool.name)
            offered[tool.name] = _of_client(tool, place) if own is None else _of_server(own, tool, place)
        return tuple(offered.values())


def wrong_call(tools: Sequence[OfferedTool], name: str, arguments: str) -> str | None:
    """What is wrong with a call, in words for the model that made it; None where nothing is."""
    tool = next((tool for tool in tools if tool.name == name), None)
    if tool is None:
        names = ", ".join(tool.name for tool in tools)
        return f"there is no tool of this name; there are: {names}" if names else "there are no tools to call"
    if len(arguments) > LONGEST_ARGUMENTS:
        return f"the arguments have {len(arguments):,} characters; at most {LONGEST_ARGUMENTS:,} are taken"
    return complaint(tool.parameters, arguments)


async def schedule_execution(uow: UnitOfWork, execution: ToolExecution, correlation: str) -> None:
    """Have an execution run by the server once the transaction is committed; once more is no harm.

    Under the correlation id of the run that asked for it.
    """
    payload = orjson.dumps([execution.tenant_id, execution.user_id, str(execution.id), correlation])
    await enqueue(uow, TOOL_JOB, payload, key=str(execution.id))


def _of_client(tool: GivenTool, place: str) -> OfferedTool:
    description, parameters = tool.description or "", NO_PARAMETERS if tool.parameters is None else tool.parameters
    require_length(description, f"{place}.description", at_most=LONGEST_DESCRIPTION)
    check_parameters(parameters, f"{place}.parameters")
    return OfferedTool(tool.name, description, dict(parameters), tool.requires_approval)


def _of_server(own: ServerTool, tool: GivenTool, place: str) -> OfferedTool:
    for name in ("description", "parameters"):
        if getattr(tool, name) is not None:
            raise ValidationError(
                f"{own.name} is a tool of the server, which has its own {name}",
                field=f"{place}.{name}",
                hint="leave description and parameters out to offer the server's tool, or call yours something else",
            )
    return OfferedTool(own.name, own.description, dict(own.parameters), tool.requires_approval, on_server=True)
