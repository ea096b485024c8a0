"""Operations with files: the GraphQL multipart request specification."""

from collections.abc import AsyncIterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

from graphql import (
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLSchema,
    OperationDefinitionNode,
    TypeNode,
    get_nullable_type,
    type_from_ast,
)

from app.graph.body import BadRequest, GraphQLRequest, parse_json, request_of
from app.graph.forms import Form, FormLimits, read_form
from app.graph.schema import Schema
from app.graph.uploads import UploadedFile

MOST_FILES = 8
"""Of one operation: they are stored one after the other, and none is before the last has come."""

Place = tuple[str, ...]
"""Where a file stands in the variables: `("input", "file")`."""


async def read_operation(
    content_type: str, pieces: AsyncIterator[bytes], max_body_bytes: int, closing: ExitStack
) -> GraphQLRequest:
    """The operation of a form, its files in the places of its variables that the map names."""
    limits = FormLimits(max_body_bytes, fields=2, files=MOST_FILES)
    form = await read_form(content_type, pieces, limits, closing)
    if list(form.fields) != ["operations", "map"]:
        raise BadRequest(
            "the form must begin with the fields operations and map",
            field="operations",
            hint="send what the GraphQL multipart request specification says",
        )
    operation = parse_json(form.fields["operations"])
    if not isinstance(operation, dict):
        raise BadRequest("operations must be one JSON object", field="operations", hint="send one operation")
    places = _places(parse_json(form.fields["map"]), form)
    for place, file in places.items():
        _put(operation.get("variables"), place, file)
    return replace(request_of(operation), files=tuple(places))


def _places(mapped: object, form: Form) -> dict[Place, UploadedFile]:
    """Every place that the map names, with its file."""
    if not isinstance(mapped, dict) or mapped.keys() != form.files.keys():
        raise _wrong_map("map must be a JSON object that names each file of the form, and no other")
    found: dict[Place, UploadedFile] = {}
    for name, paths in mapped.items():
        if not isinstance(paths, list) or not paths or not all(isinstance(path, str) for path in paths):
            raise _wrong_map("map must say for each file where it belongs, as a list of paths")
        for path in paths:
            head, *place = path.split(".")
            if head != "variables" or not place or tuple(place) in found or len(found) >= MOST_FILES:
                raise _wrong_map("a path in map must lead to a variable, and no two to the same")
            found[tuple(place)] = form.files[name]
    return found


def _put(variables: Any, place: Place, file: UploadedFile) -> None:
    """Replace the null at a place."""
    holder = variables
    try:
        for step in place[:-1]:
            holder = holder[_key(holder, step)]
        last = _key(holder, place[-1])
        is_empty = holder[last] is None
    except (LookupError, TypeError, ValueError):
        is_empty = False
    if not is_empty:
        raise _wrong_map("a path in map must lead to a null in the variables")
    holder[last] = file


def _key(holder: Any, step: str) -> str | int:
    if not isinstance(holder, list):
        return step
    if not step.isdecimal() or len(step) > 4:
        raise ValueError
    return int(step)


def require_uploads(schema: Schema, operation: OperationDefinitionNode, asked: GraphQLRequest) -> None:
    """Raise BadRequest where a file stands in a variable that is not of the type Upload: JSON, for one, holds none."""
    variables = operation.variable_definitions or ()
    declared = {each.variable.name.value: each.type for each in variables}
    for place in asked.files:
        kind = _type_at(schema.core, declared, place)
        if getattr(kind, "name", None) != "Upload":
            raise BadRequest(
                f"variables.{'.'.join(place)[:100]} takes no file", field="map", hint="files are of the type Upload"
            )


def _type_at(schema: GraphQLSchema, declared: Mapping[str, TypeNode], place: Place) -> Any:
    kind: Any = type_from_ast(schema, declared[place[0]]) if place[0] in declared else None
    for step in place[1:]:
        kind = get_nullable_type(kind)
        if isinstance(kind, GraphQLList):
            kind = kind.of_type
        elif isinstance(kind, GraphQLInputObjectType) and step in kind.fields:
            kind = kind.fields[step].type
        else:
            return None
    return get_nullable_type(kind)


def _wrong_map(message: str) -> BadRequest:
    return BadRequest(message, field="map", hint='send {"0": ["variables.input.file"]} and the file as part 0')
