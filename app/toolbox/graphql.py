"""The server's own tools in the graph."""

import strawberry
from strawberry import field

from app.graph.context import Info
from app.graph.nodes import OfRecords
from app.graph.queries import query
from app.graph.scalars import Json
from app.toolbox.service import Toolbox
from app.toolbox.values import ServerTool


@strawberry.type(name="ServerTool", description="A tool that the server executes itself, where a message offers it.")
class ServerToolType(OfRecords):
    name: str = field(description="Name it so among the `tools` of sendMessage, without description and parameters.")
    description: str = field(description="What it does, as the model is told.")
    parameters: Json = field(description="JSON Schema of its arguments.")


@strawberry.type
class ToolboxQueries:
    @query(list[ServerToolType], "The tools of the server, by name.")
    async def tools(self, info: Info) -> list[ServerTool]:
        return [tool for _, tool in sorted(info.context.service(Toolbox).tools.items())]
