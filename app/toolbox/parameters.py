"""Parameters of tools: JSON Schemas from outside, and whether arguments that a model wrote satisfy them."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import orjson
from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError
from jsonschema.exceptions import ValidationError as Dissatisfied
from jsonschema.validators import extend
from referencing import Registry
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012

from app.core.errors import ValidationError
from app.core.text import require_length

LONGEST_PARAMETERS = 20_000
"""Characters of the JSON Schema of one tool. To check so much takes some 200 ms; a model would read 5,000 tokens."""

MOST_STEPS = 10_000
"""Keywords that are applied to one call's arguments, some 100 ms. A schema whose references multiply (ten kilobytes can
mean billions) is given up there, and the arguments are passed on as they are."""

DEEPEST_STEPS = 100
"""Keywords inside each other: a schema may refer to itself, and arguments may nest; each costs several of the thousand
frames that Python has, and the library does not survive the last one."""

DEEPEST_PARAMETERS = 32
"""Levels of nesting, for the same reason."""

MOST_COMPLAINTS = 3
LONGEST_COMPLAINT = 300
"""Characters of one: a complaint quotes what it is about, which may be long."""

NO_PARAMETERS: dict[str, Any] = {"type": "object", "properties": {}}
"""Of a tool that takes nothing."""

# Python's regular expressions can take for ever on a short text, and the first of these run those of the schema. The
# model is told of all of them; whether it kept to them is for the tool to see.
_NOT_CHECKED = ("pattern", "patternProperties", "unevaluatedItems", "unevaluatedProperties", "format")

_Keyword = Callable[[Any, Any, Any, Any], Iterable[Dissatisfied] | None]


class _TooMuchWork(Exception):
    """The schema means more than anybody wants to look at."""


def check_parameters(parameters: Mapping[str, Any], place: str) -> None:
    """Raise ValidationError, naming the place inside `place`, for what is no JSON Schema (2020-12) of an object."""
    require_length(orjson.dumps(parameters).decode(), place, at_most=LONGEST_PARAMETERS)
    if not _is_within(parameters, DEEPEST_PARAMETERS):
        raise ValidationError(
            f"{place} nests more than {DEEPEST_PARAMETERS} levels deep",
            field=place,
            hint="use $defs",
        )
    try:
        Draft202012Validator.check_schema(parameters)
    except SchemaError as error:
        where = place + _path(error.absolute_path)
        raise ValidationError(
            f"{where} is no JSON Schema: {_shortened(error.message)}", field=where, hint="send JSON Schema 2020-12"
        ) from None
    if parameters.get("type") != "object":
        raise ValidationError(
            f"{place} must describe an object", field=f"{place}.type", hint='send {"type": "object", "properties": {…}}'
        )
    _check_references(parameters, place)


def complaint(parameters: Mapping[str, Any], arguments: str) -> str | None:
    """What is wrong with arguments as a model wrote them, for the model to mend; None where they will do."""
    try:
        given = orjson.loads(arguments)
    except orjson.JSONDecodeError as error:
        return f"the arguments are no JSON: {_shortened(str(error))}"
    if not isinstance(given, dict):
        return "the arguments must be a JSON object"
    found = _dissatisfied(parameters, given)
    if not found:
        return None
    return f"the arguments do not satisfy the parameters of the tool: {'; '.join(found)}"


def _dissatisfied(parameters: Mapping[str, Any], given: dict[str, Any]) -> list[str]:
    # References are looked up in the schema alone: the library would fetch others from the network.
    validator = _counting(MOST_STEPS)(parameters, registry=Registry())
    found: list[str] = []
    try:
        for error in validator.iter_errors(given):
            found.append(f"${_path(error.absolute_path)}: {_shortened(error.message)}")
            if len(found) == MOST_COMPLAINTS:
                break
    except (_TooMuchWork, Unresolvable):
        return []
    return found


def _counting(most: int) -> Any:
    """A validator that gives up after so many steps."""
    steps = depth = 0

    def counted(check: _Keyword) -> _Keyword:
        def apply(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[Dissatisfied]:
            nonlocal steps, depth
            steps, depth = steps + 1, depth + 1
            if steps > most or depth > DEEPEST_STEPS:
                raise _TooMuchWork
            try:
                yield from check(validator, value, instance, schema) or ()
            finally:
                depth -= 1

        return apply

    def unique(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[Dissatisfied]:
        nonlocal steps
        # Each may be compared with each.
        steps += len(instance) ** 2 // 4 if isinstance(instance, list) else 0
        if steps > most:
            raise _TooMuchWork
        yield from of_library["uniqueItems"](validator, value, instance, schema) or ()

    def additional(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[Dissatisfied]:
        if "patternProperties" not in schema:
            yield from of_library["additionalProperties"](validator, value, instance, schema) or ()

    of_library: dict[str, _Keyword] = dict(Draft202012Validator.VALIDATORS)
    replaced = {**of_library, "uniqueItems": unique, "additionalProperties": additional}
    checked = {name: _unchecked if name in _NOT_CHECKED else counted(check) for name, check in replaced.items()}
    return extend(Draft202012Validator, checked)


def _unchecked(validator: Any, value: Any, instance: Any, schema: Any) -> Iterable[Dissatisfied]:  # noqa: ARG001
    return ()


def _check_references(parameters: Mapping[str, Any], place: str) -> None:
    resolver = Registry().resolver_with_root(DRAFT202012.create_resource(parameters))
    for reference in _references(parameters):
        try:
            resolver.lookup(reference)
        except Unresolvable:
            raise ValidationError(
                f"{place} refers to {_shortened(reference)}, which is not in it",
                field=place,
                hint="define it in $defs, and refer to it as #/$defs/name",
            ) from None


def _references(schema: Any) -> Iterator[str]:
    # Depth is bounded where inputs are taken in.
    if isinstance(schema, dict):
        for name, value in schema.items():
            if name in ("$ref", "$dynamicRef") and isinstance(value, str):
                yield value
            else:
                yield from _references(value)
    elif isinstance(schema, list):
        for inner in schema:
            yield from _references(inner)


def _is_within(value: Any, levels: int) -> bool:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return levels >= 0 and all(_is_within(found, levels - 1) for found in inner)


def _path(keys: Iterable[str | int]) -> str:
    return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in keys)[:200]


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST_COMPLAINT else text[: LONGEST_COMPLAINT - 1] + "…"
