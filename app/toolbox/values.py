"""What a tool is to a model, to the server and to a run."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from app.core.actor import Actor
from app.db.database import Database
from app.llm.port import ToolSpecification

MOST_TOOLS = 128
"""Of one run: as many as the large providers take."""

LONGEST_DESCRIPTION = 4_000

LARGEST_OFFER = 100_000
"""Characters of the JSON of all tools of a run: a model reads them before each turn."""

TOOL_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
"""What the large providers take for a name."""


class ServerTool(Protocol):
    """A tool that the server runs itself. It only reads: after a crash it is run again."""

    @property
    def name(self) -> str:
        """As models call it."""

    @property
    def description(self) -> str:
        """What it does, for models."""

    @property
    def parameters(self) -> Mapping[str, Any]:
        """JSON Schema of its arguments."""

    async def run(self, database: Database, actor: Actor, arguments: Mapping[str, Any]) -> str:
        """What the model is told; `arguments` satisfy the parameters. An AppError is told to the model, too."""


@dataclass(frozen=True, slots=True)
class GivenTool:
    """A tool as the client names it."""

    name: str
    description: str | None = None
    """None, as with the parameters, means the server's own tool, or nothing to say."""
    parameters: dict[str, Any] | None = None
    requires_approval: bool = False


@dataclass(frozen=True, slots=True)
class OfferedTool:
    """A tool that a run offers to its model."""

    name: str
    description: str
    parameters: dict[str, Any]
    requires_approval: bool = False
    on_server: bool = False
    """Whether the server runs it; else the client does."""

    @property
    def specification(self) -> ToolSpecification:
        """The tool as models are told of it."""
        return ToolSpecification(self.name, self.description, self.parameters)

    def as_json(self) -> dict[str, Any]:
        """As it is stored with its run."""
        return {
            "name": self.name,
            "description": self.description,
            "parameters": self.parameters,
            "requiresApproval": self.requires_approval,
            "onServer": self.on_server,
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "OfferedTool":
        """The inverse of `as_json`."""
        return cls(
            stored["name"], stored["description"], stored["parameters"], stored["requiresApproval"], stored["onServer"]
        )
