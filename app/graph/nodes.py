"""Relay's Node: every object of the graph by its global id."""

import asyncio
from collections.abc import Mapping
from typing import Annotated, Any

import strawberry
from graphql import GraphQLAbstractType, GraphQLResolveInfo
from strawberry import field

from app.core.errors import ValidationError
from app.core.ids import parse_uuid, split_global_id
from app.core.text import require_count
from app.graph.context import Info
from app.graph.loading import Loader

MOST_NODES = 100
"""Ids in one `nodes`: as many as a page has."""

NodeLoaders = Mapping[str, type[Loader[Any, Any]]]
"""The loader of each type of object, by the type's name; its keys are what `NodeKeys` makes of an id."""


class OfRecords:
    """A base for interfaces: their objects are records, which know the name of their type as `node_type`."""

    @classmethod
    def resolve_type(cls, row: Any, info: GraphQLResolveInfo[Any], abstract: GraphQLAbstractType) -> str:  # noqa: ARG003
        """Rows know the name of their type."""
        return str(row.node_type)

    @classmethod
    def is_type_of(cls, row: Any, info: GraphQLResolveInfo[Any]) -> bool:  # noqa: ARG003
        """Rows are records, not instances of the graph's types; the field that returned one has decided its type."""
        return True


@strawberry.interface(description="An object with an id that is unique in the whole graph.")
class Node(OfRecords):
    global_id: strawberry.ID = field(name="id", description="Relay's id of this object: opaque, never changes.")


Id = Annotated[strawberry.ID, strawberry.argument(description="The object's global id.")]
Ids = Annotated[list[strawberry.ID], strawberry.argument(description="Global ids, at most 100.")]


def node_queries(loaders: NodeLoaders) -> type:
    """The root fields `node` and `nodes` over the given types."""

    async def load(info: Info, value: str, place: str) -> Any:
        type_name, key = split_global_id(value, place)
        loader = loaders.get(type_name)
        if loader is None:
            raise ValidationError(f"{place} is not a valid id", field=place, hint="pass an id as this API returned it")
        parse = getattr(loader, "parse_key", parse_uuid)
        return await info.context.loader(loader).load(parse(key, place))

    @strawberry.type
    class NodeQueries:
        @field(graphql_type=Node | None, description="Any object by its id; null when it is not there, or not yours.")
        async def node(self, info: Info, id: Id) -> Any:
            return await load(info, id, "id")

        @field(
            graphql_type=list[Node | None],
            description="Objects by their ids, in their order; null for each that is not there, or not yours.",
        )
        async def nodes(self, info: Info, ids: Ids) -> list[Any]:
            require_count(len(ids), "ids", at_most=MOST_NODES)
            return await asyncio.gather(*(load(info, value, f"ids[{index}]") for index, value in enumerate(ids)))

    return NodeQueries
