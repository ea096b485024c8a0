"""Inputs: built straight from what the client sent, and remembering it."""

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any, TypeVar, dataclass_transform

import strawberry
from strawberry import field
from strawberry.types.arguments import InputContext
from strawberry.types.base import StrawberryList, StrawberryOptional, get_object_definition
from strawberry.utils.str_converters import to_camel_case

I = TypeVar("I")  # noqa: E741 - an input class

_SENT = "_sent"

_Converter = Callable[[Any, InputContext], Any]


@dataclass_transform(field_specifiers=(field,))
def input_type(description: str, name: str | None = None) -> Callable[[type[I]], type[I]]:
    """An input of the graph, as `strawberry.input` makes it.

    Strawberry 0.341 resolves the type of every field anew for every value (150 µs for a mutation's input); its hook
    `from_input` lets us do that once.
    """

    def declare(kind: type[I]) -> type[I]:
        made = strawberry.input(kind, name=name, description=description)
        definition = get_object_definition(made, strict=True)
        definition.from_input = _Builder()
        return made

    return declare


def as_sent(value: Any) -> Any:
    """An argument as the client wrote it: an input's members by their names in the graph, nothing that was left out."""
    return getattr(value, _SENT, value)


class _Builder:
    """Builds one class of inputs; knows after the first time which members need converting."""

    def __init__(self) -> None:
        self._members: list[tuple[str, str, _Converter | None]] | None = None

    def __call__(self, kind: type[Any], sent: Mapping[str, Any], context: InputContext) -> Any:
        """Called by Strawberry with the members the client sent and the defaults that the schema publishes."""
        if self._members is None:
            self._members = _members_of(kind)
        values = {}
        for shown, name, convert in self._members:
            if shown in sent:
                value = sent[shown]
                values[name] = convert(value, context) if convert is not None and value is not None else value
        made = kind(**values)
        setattr(made, _SENT, sent)
        return made


def _members_of(kind: type[Any]) -> list[tuple[str, str, _Converter | None]]:
    definition = get_object_definition(kind, strict=True)
    types = {member.python_name: member for member in definition.fields}
    found = [(member.name, types[member.name]) for member in fields(kind)]
    return [(member.graphql_name or to_camel_case(name), name, _converter(member.type)) for name, member in found]


def _converter(kind: Any) -> _Converter | None:
    """How a value of this type is made of what GraphQL gives; None where it is that already (scalars, enums)."""
    if isinstance(kind, StrawberryOptional):
        return _converter(kind.of_type)
    if isinstance(kind, StrawberryList):
        each = _converter(kind.of_type)
        if each is None:
            # Copied: a default is the same list for every request that left the member out.
            return lambda value, _: list(value)
        return lambda value, context: [each(item, context) for item in value]
    if get_object_definition(kind) is not None:
        return lambda value, context: context.convert(value, kind)
    return None
