"""Calling a resolver for all rows of a level."""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import strawberry
from graphql import GraphQLField
from graphql.execution import Executor
from graphql.execution.values import get_argument_values
from graphql.pyutils import Path
from strawberry.schema.schema_converter import GraphQLCoreConverter, get_arguments
from strawberry.types.field import StrawberryField

from app.graph.executor.selections import Field
from app.graph.executor.surprise import Surprise

Level = Callable[[Any, Sequence[Any], strawberry.Info, Mapping[str, Any]], list[Any]]
"""Calls a function for each row, with what it is given of the operation."""


class _NoPath(Path):
    """A level has many paths: who asks for one is called row by row."""

    def __getattribute__(self, name: str) -> Any:
        if name.startswith("__"):
            return super().__getattribute__(name)
        raise Surprise(name)


_NO_PATH = tuple.__new__(_NoPath, (None, "", None))


def values_of(executor: Executor[Any], field: Field, rows: Sequence[Any]) -> list[Any]:
    """What the field's resolver returns for each row: values, or what is to be awaited. It raises what that raises."""
    nodes = [detail.node for detail in field.details]
    info = executor.build_resolve_info(field.definition, nodes, field.parent, _NO_PATH)
    given = _given(executor, field) if field.definition.args or nodes[0].arguments else {}
    plain = _plain(field.definition)
    if plain is None:
        resolve = field.definition.resolve or executor.field_resolver
        return [resolve(row, info, **given) for row in rows]
    told = strawberry.Info(_raw_info=info, _field=plain)
    resolver = plain.base_resolver
    assert resolver is not None  # noqa: S101 - `_plain` looked
    arguments = _converted(executor, plain, told, given) if given else {}
    row_names = {found.name for found in (resolver.parent_parameter, resolver.root_parameter) if found}
    info_name = resolver.info_parameter.name if resolver.info_parameter else None
    level = _level(resolver.self_parameter is not None, tuple(sorted(row_names)), info_name)
    return level(resolver.wrapped_func, rows, told, arguments)


def _given(executor: Executor[Any], field: Field) -> dict[str, Any]:
    first = field.details[0]
    return get_argument_values(field.definition, first.node, executor.variable_values, None, executor.hide_suggestions)


def _plain(definition: GraphQLField) -> StrawberryField | None:
    """The field as it was declared, where nothing stands between graphql-core and its resolver but Strawberry."""
    declared: StrawberryField | None = definition.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
    if declared is None or declared.base_resolver is None or declared.extensions:
        return None
    return declared


def _converted(
    executor: Executor[Any], declared: StrawberryField, info: strawberry.Info, given: dict[str, Any]
) -> dict[str, Any]:
    """The arguments by their names in Python, inputs as their classes."""
    schema = executor.schema._strawberry_schema  # type: ignore[attr-defined]
    _, converted = get_arguments(
        field=declared, source=None, info=info, kwargs=given, config=schema.config,
        scalar_registry=schema.schema_converter.scalar_registry,
    )  # fmt: skip
    resolver = declared.base_resolver
    assert resolver is not None  # noqa: S101 - `_plain` looked
    for parameter in (resolver.parent_parameter, resolver.root_parameter, resolver.info_parameter):
        if parameter is not None:
            converted.pop(parameter.name, None)
    return converted


@lru_cache(maxsize=256)
def _level(takes_self: bool, row_names: tuple[str, ...], info: str | None) -> Level:
    """The loop over the rows, with the names that a resolver gives to what it takes."""
    arguments = ["row"] if takes_self else []
    arguments += [f"{name}=row" for name in row_names]
    arguments += [f"{info}=info"] if info else []
    call = ", ".join([*arguments, "**arguments"])
    bare = ", ".join(arguments)
    written = (
        f"lambda resolve, rows, info, arguments: [resolve({call}) for row in rows] if arguments "
        f"else [resolve({bare}) for row in rows]"
    )
    found: Level = eval(written)  # noqa: S307 - the names are those of our own functions' parameters
    return found
