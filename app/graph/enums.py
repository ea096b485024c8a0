"""Enums of the graph, with a description for every value."""

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

import strawberry

E = TypeVar("E", bound=StrEnum)


def described(enum: type[E], description: str, values: Mapping[E, str], name: str | None = None) -> type[E]:
    """Make a StrEnum an enum of the graph; its values are named as its members, rows hold the text.

    `name` where the class is named too plainly for the whole graph.
    """
    strawberry.enum(enum, name=name, description=description)
    for member in enum.__strawberry_definition__.values:  # type: ignore[attr-defined]
        member.description = values[enum[member.name]]
    return enum
