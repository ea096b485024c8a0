"""Calling a resolver for all rows of a level."""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import strawberry
from graphql.execution import Executor
from graphql.pyutils import Path

from app.graph.arguments import Takes, bare
from app.graph.executor.given import given_to
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
    plain = bare(field.definition)
    if plain is None:
        given = given_to(executor, field.definition, nodes[0])
        resolve = field.definition.resolve or executor.field_resolver
        return [resolve(row, info, **given) for row in rows]
    told = strawberry.Info(_raw_info=info, _field=plain.field)
    arguments = field.arguments
    if arguments is None:
        arguments = plain.arguments(given_to(executor, field.definition, nodes[0]))
    return _level(plain.takes)(plain.function, rows, told, arguments)


@lru_cache(maxsize=256)
def _level(takes: Takes) -> Level:
    """The loop over the rows, with the names that a resolver gives to what it takes."""
    arguments = ["row"] if takes.itself else []
    arguments += [f"{name}=row" for name in takes.rows]
    arguments += [f"{takes.info}=info"] if takes.info else []
    call = ", ".join([*arguments, "**arguments"])
    bare = ", ".join(arguments)
    written = (
        f"lambda resolve, rows, info, arguments: [resolve({call}) for row in rows] if arguments "
        f"else [resolve({bare}) for row in rows]"
    )
    found: Level = eval(written)  # noqa: S307 - the names are those of our own functions' parameters
    return found
