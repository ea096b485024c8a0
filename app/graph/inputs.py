"""Inputs: built straight from what the client sent, and remembering it."""

from collections.abc import Callable, Mapping
from dataclasses import fields
from functools import partial
from typing import Any, TypeVar, dataclass_transform

import strawberry
from strawberry import field
from strawberry.relay import GlobalID
from strawberry.types.arguments import InputContext
from strawberry.types.base import StrawberryList, StrawberryMaybe, StrawberryOptional, get_object_definition
from strawberry.types.lazy_type import LazyType
from strawberry.utils.str_converters import to_camel_case

I = TypeVar("I")  # noqa: E741 - an input class

_SENT = "_sent"

Converter = Callable[[Any], Any]


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
        self._members: list[tuple[str, str, Converter | None]] | None = None

    def __call__(self, kind: type[Any], sent: Mapping[str, Any], _context: InputContext) -> Any:
        """Called by Strawberry where it converts."""
        return self.build(kind, sent)

    def build(self, kind: type[Any], sent: Mapping[str, Any]) -> Any:
        """An input of what the client sent, and of the defaults that the schema publishes."""
        if self._members is None:
            self._members = _members_of(kind)
        values = {}
        for shown, name, convert in self._members:
            if shown in sent:
                value = sent[shown]
                values[name] = convert(value) if convert is not None and value is not None else value
        made = kind(**values)
        setattr(made, _SENT, sent)
        return made


def _members_of(kind: type[Any]) -> list[tuple[str, str, Converter | None]]:
    definition = get_object_definition(kind, strict=True)
    types = {member.python_name: member for member in definition.fields}
    found = [(member.name, types[member.name]) for member in fields(kind)]
    return [(member.graphql_name or to_camel_case(name), name, converter_of(member.type)) for name, member in found]


def converter_of(kind: Any) -> Converter | None:
    """How a value of this type is made of what GraphQL gives, unless it is null; TypeError for a type unknown here.

    None where it is that already (scalars, enums).
    """
    if isinstance(kind, LazyType):
        return converter_of(kind.resolve_type())
    if isinstance(kind, StrawberryMaybe) or kind is GlobalID:
        raise TypeError(f"{kind} is no type that is converted here")
    if isinstance(kind, StrawberryOptional):
        return converter_of(kind.of_type)
    if isinstance(kind, StrawberryList):
        return _list_converter(converter_of(kind.of_type))
    definition = get_object_definition(kind)
    if definition is None:
        return None
    if not isinstance(definition.from_input, _Builder):
        raise TypeError(f"{kind} is no input_type")
    return partial(definition.from_input.build, kind)


def _list_converter(each: Converter | None) -> Converter:
    if each is None:
        # Copied: a default is the same list for every request that left it out.
        return list
    return lambda values: [None if value is None else each(value) for value in values]
