"""Which parameters a tool may have, and what is said of arguments."""

from typing import Any

import pytest

from app.core.errors import ErrorCode, ValidationError
from app.toolbox.parameters import DEEPEST_PARAMETERS, LONGEST_PARAMETERS, check_parameters, complaint
from app.toolbox.service import Toolbox, wrong_call
from app.toolbox.values import MOST_TOOLS, GivenTool, OfferedTool

CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
LAUGHS = {
    "type": "object",
    "$defs": {**{f"a{i}": {"allOf": [{"$ref": f"#/$defs/a{i + 1}"}] * 2} for i in range(40)}, "a40": {}},
    "$ref": "#/$defs/a0",
}


def nested(levels: int) -> dict[str, Any]:
    schema: dict[str, Any] = {}
    for _ in range(levels):
        schema = {"not": schema}
    return {"type": "object", **schema}


@pytest.mark.parametrize(
    ("parameters", "field"),
    [
        ({"type": "object", "properties": {"city": {"type": "strin"}}}, "p.properties.city.type"),
        ({"type": "object", "properties": 3}, "p.properties"),
        ({"type": "object", "allOf": [{}, {"minLength": -1}]}, "p.allOf[1].minLength"),
        ({"type": "string"}, "p.type"),
        ({}, "p.type"),
        ({"type": "object", "$ref": "http://127.0.0.1:9/elsewhere"}, "p"),
        ({"type": "object", "properties": {"a": {"$ref": "#/$defs/missing"}}}, "p"),
        ({"type": "object", "description": "x" * LONGEST_PARAMETERS}, "p"),
        (nested(DEEPEST_PARAMETERS + 1), "p"),
    ],
)
def test_what_is_no_schema_of_an_object_is_refused_by_its_place(parameters: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError) as refused:
        check_parameters(parameters, "p")

    assert refused.value.field == field


@pytest.mark.parametrize("parameters", [CITY, {"type": "object"}, LAUGHS, nested(DEEPEST_PARAMETERS - 1)])
def test_schema_of_an_object_is_taken(parameters: dict[str, Any]) -> None:
    check_parameters(parameters, "p")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ('{"city": "Rome"}', None),
        ("{}", "$: 'city' is a required property"),
        ('{"city": ["Rome"]}', "$.city: ['Rome'] is not of type 'string'"),
        ("null", "the arguments must be a JSON object"),
        ('{"city": "Ro', "the arguments are no JSON"),
        ("", "the arguments are no JSON"),
    ],
)
def test_arguments_are_checked_and_what_is_wrong_is_said(arguments: str, said: str | None) -> None:
    found = complaint(CITY, arguments)

    assert found is None if said is None else said in (found or "")


@pytest.mark.parametrize(
    ("parameters", "arguments"),
    [
        (LAUGHS, "{}"),
        ({"type": "object", "$ref": "#"}, "{}"),
        ({"type": "object", "properties": {"a": {"$ref": "#"}}}, '{"a":' * 900 + "{}" + "}" * 900),
        ({"type": "object", "properties": {"a": {"pattern": "^(a+)+$"}}}, '{"a": "' + "a" * 60 + '!"}'),
        ({"type": "object", "patternProperties": {"^(a+)+$": {}}, "additionalProperties": False},
         '{"' + "a" * 60 + '!": 1}'),
        ({"type": "object", "properties": {"a": {"uniqueItems": True}}},
         '{"a": [' + ",".join(f'{{"b": {i}}}' for i in range(700)) + "]}"),
        ({"type": "object", "properties": {"a": {"items": {"allOf": [{"type": "integer"}] * 1000}}}},
         '{"a": [' + ",".join("1" for _ in range(3000)) + "]}"),
    ],
)  # fmt: skip
def test_schema_that_would_take_for_ever_is_given_up(parameters: dict[str, Any], arguments: str) -> None:
    assert complaint(parameters, arguments) is None


def test_call_of_what_was_not_offered_is_told_what_was() -> None:
    tools = [OfferedTool("weather", "", CITY), OfferedTool("time", "", CITY)]

    assert wrong_call(tools, "wether", "{}") == "there is no tool of this name; there are: weather, time"
    assert wrong_call([], "weather", "{}") == "there are no tools to call"


@pytest.mark.parametrize(
    ("given", "code", "field"),
    [
        ([GivenTool("no spaces")], ErrorCode.VALIDATION_ERROR, "tools[0].name"),
        ([GivenTool("")], ErrorCode.VALIDATION_ERROR, "tools[0].name"),
        ([GivenTool("x" * 65)], ErrorCode.VALIDATION_ERROR, "tools[0].name"),
        ([GivenTool("a"), GivenTool("a")], ErrorCode.VALIDATION_ERROR, "tools[1].name"),
        ([GivenTool("a"), GivenTool("b", parameters={"type": 1})], ErrorCode.VALIDATION_ERROR,
         "tools[1].parameters.type"),
        ([GivenTool("a", "x" * 4_001)], ErrorCode.VALIDATION_ERROR, "tools[0].description"),
        ([GivenTool(f"t{i}") for i in range(MOST_TOOLS + 1)], ErrorCode.VALIDATION_ERROR, "tools"),
        ([GivenTool(f"t{i}", parameters={"type": "object", "description": "x" * 19_000}) for i in range(6)],
         ErrorCode.VALIDATION_ERROR, "tools"),
    ],
)  # fmt: skip
async def test_offer_that_no_model_takes_is_refused_by_its_place(
    given: list[GivenTool], code: ErrorCode, field: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        await Toolbox.of().offer(given)

    assert (refused.value.code, refused.value.field) == (code, field)
