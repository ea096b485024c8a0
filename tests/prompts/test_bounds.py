"""What a template may be: to the last character taken, one more refused with the name of the field."""

from typing import Any

import pytest

from tests.client import GraphQLClient
from tests.prompts.scenes import FACTS, a_template, change, read, save
from tests.worlds import stored

TYPES = ["QUESTION_ANSWERING", "SUMMARIZATION", "ENTITY_EXTRACTION", "TEXT_GENERATION", "TRANSLATION",
         "CLASSIFICATION", "CUSTOM"]  # fmt: skip

TAKEN: list[tuple[str, Any]] = [
    ("content", "x"),
    ("content", "x" * 10_000),
    ("content", "𝄞" * 10_000),
    ("name", "n"),
    ("name", "é" * 255),
    ("description", "d" * 4_000),
    ("projectId", "p" * 255),
    ("organizationId", "o" * 255),
    ("variables", [{"name": f"v{number}"} for number in range(50)]),
    *(("type", kind) for kind in TYPES),
]
REFUSED: list[tuple[str, Any]] = [
    ("content", ""),
    ("content", " \n"),
    ("content", "x" * 10_001),
    ("name", ""),
    ("name", "n" * 256),
    ("description", "d" * 4_001),
    ("projectId", ""),
    ("projectId", "p" * 256),
    ("organizationId", " "),
    ("organizationId", "o" * 256),
    ("variables", [{"name": f"v{number}"} for number in range(51)]),
    ("variables", [{"name": "v", "type": "JSON", "default": "x" * 66_000}]),
]
OF_A_PLACE = ("projectId", "organizationId")


def named(pairs: list[tuple[str, Any]]) -> list[Any]:
    """The pairs as parameters with short names."""
    return [pytest.param(*pair, id=f"{pair[0]}-{index}") for index, pair in enumerate(pairs)]


@pytest.mark.parametrize(("field", "value"), named(TAKEN))
async def test_what_is_in_bounds_is_stored_as_it_is(client: GraphQLClient, field: str, value: Any) -> None:
    shown = "declaredVariables" if field == "variables" else field
    template = await a_template(client, **{"name": "greeting", "content": "Hello!", field: value})

    found = (await read(client, template))[shown]

    assert ([variable["name"] for variable in found] if field == "variables" else found) == (
        [variable["name"] for variable in value] if field == "variables" else value
    )


@pytest.mark.parametrize(("field", "value"), named(REFUSED))
async def test_what_is_out_of_bounds_is_refused(client: GraphQLClient, dsn: str, field: str, value: Any) -> None:
    template = await a_template(client, "there")
    before = await stored(dsn)

    payloads = [
        await client.mutate("createPromptTemplate", "success", {"name": "greeting", "content": "Hello!", field: value})
    ]
    if field not in OF_A_PLACE:
        payloads.append(await save(client, template, 1, **{field: value}))

    for payload in payloads:
        assert (payload["error"]["code"], payload["error"]["field"]) == ("VALIDATION_ERROR", field)
        assert payload["error"]["hint"]
    assert await stored(dsn) == before


@pytest.mark.parametrize("field", ["name", "content", "type"])
async def test_what_a_template_must_have_cannot_be_cleared(client: GraphQLClient, dsn: str, field: str) -> None:
    template = await a_template(client)
    before = await stored(dsn)

    payload = await save(client, template, 1, **{field: None})

    assert (payload["error"]["code"], payload["error"]["field"]) == ("VALIDATION_ERROR", field)
    assert await stored(dsn) == before


async def test_null_clears_what_may_be_absent(client: GraphQLClient) -> None:
    template = await a_template(client, description="For guests", variables=[{"name": "v"}])

    payload = await save(client, template, 1, description=None, variables=None)

    assert (payload["template"]["description"], payload["template"]["declaredVariables"]) == (None, [])


async def test_an_update_of_nothing_is_refused(client: GraphQLClient) -> None:
    payload = await save(client, await a_template(client), 1)

    assert (payload["error"]["code"], payload["error"]["field"]) == ("VALIDATION_ERROR", "input")


@pytest.mark.parametrize("expected", [0, -1])
async def test_a_version_that_cannot_be_is_refused(client: GraphQLClient, expected: int) -> None:
    payload = await save(client, await a_template(client), expected, content="late")

    assert (payload["error"]["code"], payload["error"]["field"]) == ("VALIDATION_ERROR", "expectedVersion")


async def test_an_update_that_says_the_same_adds_no_version(client: GraphQLClient, dsn: str) -> None:
    variable = {"name": "v", "type": "JSON", "default": {"b": 1, "a": [1]}}
    template = await a_template(client, description="For guests", variables=[variable])
    before = await stored(dsn)

    payload = await save(
        client, template, 1, name="greeting", content="Hello!", description="For guests", type="CUSTOM",
        variables=[{**variable, "default": {"a": [1], "b": 1}}],
    )  # fmt: skip

    assert payload["success"]
    assert [warning["code"] for warning in payload["warnings"]] == ["UNCHANGED"]
    assert payload["template"]["version"] == 1
    assert await stored(dsn) == before


@pytest.mark.parametrize("default", [1, 0.5, "1", None])
async def test_a_default_that_differs_only_to_json_is_a_change(client: GraphQLClient, default: Any) -> None:
    template = await a_template(client, content="{{v}}", variables=[{"name": "v", "type": "JSON", "default": True}])

    payload = await save(client, template, 1, variables=[{"name": "v", "type": "JSON", "default": default}])

    assert (payload["warnings"], payload["template"]["version"]) == ([], 2)
    assert payload["template"]["declaredVariables"][0]["default"] == default


async def test_a_stale_update_is_answered_with_what_is_there(client: GraphQLClient) -> None:
    template = await a_template(client)
    await save(client, template, 1, content="Good morning!")

    payload = await save(client, template, 1, content="Good evening!")

    assert (payload["success"], payload["error"]["code"]) == (False, "VERSION_CONFLICT")
    assert payload["template"] == await read(client, template, FACTS)
    assert payload["template"]["content"] == "Good morning!"


@pytest.mark.parametrize("label", ["", " ", "Production", "-x", ".x", "_x", "x y", "é", "x" * 65, "x\n"])
async def test_what_is_no_label_is_refused(client: GraphQLClient, dsn: str, label: str) -> None:
    template = await a_template(client)
    before = await stored(dsn)

    payload = await change(client, "setPromptLabel", template, label=label, version=1)

    assert (payload["error"]["code"], payload["error"]["field"]) == ("VALIDATION_ERROR", "label")
    assert await stored(dsn) == before


@pytest.mark.parametrize("label", ["x", "0", "a.b-c_d", "2026-11-21", "x" * 64])
async def test_a_label_is_stored_as_it_is(client: GraphQLClient, label: str) -> None:
    template = await a_template(client)

    payload = await change(client, "setPromptLabel", template, label=label, version=1)

    assert payload["success"]
    assert await read(client, template, "labels { label version }") == {"labels": [{"label": label, "version": 1}]}
