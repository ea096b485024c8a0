"""Calling resolvers: their arguments converted by what is found out once of each field.

Strawberry 0.341 finds out for each value of each call what its type is, and how each argument is written in the graph:
a sixth of what a short list takes. It has no hook for that, so its resolver is replaced by one that does the same: it
converts, then calls the field's resolver with its extensions around it.
"""

from collections.abc import Callable, Mapping
from functools import partial, reduce
from typing import Any, NamedTuple, cast

from graphql import GraphQLField, GraphQLFieldResolver, GraphQLObjectType, GraphQLResolveInfo, GraphQLSchema
from strawberry.extensions.field_extension import build_field_extension_resolvers
from strawberry.schema.name_converter import NameConverter
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.field import StrawberryField
from strawberry.types.fields.resolver import StrawberryResolver

from app.graph.context import Info
from app.graph.inputs import converter_of


class Arguments:
    """The arguments of one field, as its resolver takes them: by their names in Python, inputs as their classes."""

    __slots__ = ("_known",)

    def __init__(self, field: StrawberryField, names: NameConverter) -> None:
        """TypeError where one of them is of a type that is not known here."""
        self._known = [
            (names.from_argument(argument), argument.python_name, converter_of(argument.type))
            for argument in field.arguments
        ]

    def __call__(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """What graphql-core coerced, converted; what is not given is left to the resolver's own default."""
        converted = {}
        for shown, name, convert in self._known:
            if shown in given:
                value = given[shown]
                converted[name] = convert(value) if convert is not None and value is not None else value
        return converted


class Takes(NamedTuple):
    """What a resolver takes beside its arguments."""

    itself: bool
    """Whether the row is its first argument, as of a method."""
    rows: tuple[str, ...]
    """The names under which it takes the row besides."""
    info: str | None
    """The name under which it takes the `Info`, if it does."""

    @classmethod
    def of(cls, resolver: StrawberryResolver[Any]) -> "Takes":
        """As Strawberry reads its signature."""
        rows = {found.name for found in (resolver.parent_parameter, resolver.root_parameter) if found}
        info = resolver.info_parameter
        return cls(resolver.self_parameter is not None, tuple(sorted(rows)), info.name if info else None)


class Bare(NamedTuple):
    """A field between which and its resolver nothing stands but the conversion of its arguments."""

    field: StrawberryField
    function: Callable[..., Any]
    takes: Takes
    arguments: Arguments


def convert_once(schema: GraphQLSchema, names: NameConverter) -> None:
    """Have every field with a resolver convert its arguments by what is found out here."""
    for kind in schema.type_map.values():
        for field in kind.fields.values() if isinstance(kind, GraphQLObjectType) else ():
            declared: StrawberryField | None = field.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
            if declared is None or declared.base_resolver is None:
                continue
            resolver = _resolver(declared, declared.base_resolver, Arguments(declared, names))
            if declared.is_subscription:
                field.subscribe = resolver
            else:
                field.resolve = resolver


def bare(definition: GraphQLField) -> Bare | None:
    """The field, where its resolver may be called without its extensions: there are none."""
    found: Bare | None = getattr(definition.resolve, "bare", None)
    return found


def _resolver(field: StrawberryField, declared: StrawberryResolver[Any], arguments: Arguments) -> GraphQLFieldResolver:
    takes = Takes.of(declared)
    call: Callable[..., Any] = reduce(
        lambda inner, outer: partial(outer, inner), build_field_extension_resolvers(field), _call(declared, takes)
    )

    def resolve(row: Any, raw: GraphQLResolveInfo[Any], /, **given: Any) -> Any:
        info: Info = Info(_raw_info=raw, _field=field)
        return call(row, info, **arguments(given)) if given else call(row, info)

    if not field.extensions:
        resolve.bare = Bare(field, _function(declared), takes, arguments)  # type: ignore[attr-defined]
    return resolve


def _call(resolver: StrawberryResolver[Any], takes: Takes) -> Callable[..., Any]:
    function = _function(resolver)

    def call(row: Any, info: Info, /, **arguments: Any) -> Any:
        for name in takes.rows:
            arguments[name] = row
        if takes.info is not None:
            arguments[takes.info] = info
        return function(row, **arguments) if takes.itself else function(**arguments)

    return call


def _function(resolver: StrawberryResolver[Any]) -> Callable[..., Any]:
    # Static and class methods are bound by now.
    return cast("Callable[..., Any]", resolver.wrapped_func)
