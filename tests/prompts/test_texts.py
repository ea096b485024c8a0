"""What a template says of its variables is checked when it is saved."""

from typing import Any

import pytest

from tests.client import GraphQLClient
from tests.prompts.scenes import a_template, read, save
from tests.worlds import rows

BAD: list[tuple[dict[str, Any], str]] = [
    ({"content": "{{name}}"}, "content"),
    ({"content": "{{#items}}"}, "content"),
    ({"content": "{{ x.__class__ }}", "variables": [{"name": "x"}]}, "content"),
    ({"content": "a", "variables": [{"name": "a b"}]}, "variables[0].name"),
    ({"content": "a", "variables": [{"name": "a"}, {"name": "a"}]}, "variables[1].name"),
    ({"content": "a", "variables": [{"name": "a", "type": "INTEGER", "default": "1"}]}, "variables[0].default"),
    ({"content": "a", "variables": [{"name": f"n{n}"} for n in range(51)]}, "variables"),
]


@pytest.mark.parametrize(("input_", "field"), BAD)
async def test_a_bad_text_is_refused_and_nothing_is_stored(
    client: GraphQLClient, dsn: str, input_: dict[str, Any], field: str
) -> None:
    made = await a_template(client)

    created = await client.mutate("createPromptTemplate", "template { id }", {"name": "bad", **input_})
    saved = await save(client, made, 1, **input_)

    for payload in (created, saved):
        assert payload["error"]["code"] == "VALIDATION_ERROR"
        assert payload["error"]["field"] == field
        assert payload["error"]["hint"]
    assert await rows(dsn, "SELECT name FROM prompt_template_versions WHERE name <> 'greeting' OR version > 1") == []


async def test_a_content_is_checked_against_the_variables_that_stay(client: GraphQLClient) -> None:
    made = await a_template(client, content="{{a}}", variables=[{"name": "a"}])

    refused = await save(client, made, 1, variables=None)
    saved = await save(client, made, 1, content="Once more: {{a}}")

    assert refused["error"]["field"] == "content"
    assert saved["success"]
    assert (await read(client, made, "content"))["content"] == "Once more: {{a}}"


async def test_a_variable_that_is_not_used_is_a_warning(client: GraphQLClient) -> None:
    variables = [{"name": "a"}, {"name": "b"}, {"name": "c"}]

    payload = await client.mutate(
        "createPromptTemplate",
        "template { id } warnings { code message }",
        {"name": "one", "content": "{{a}}", "variables": variables},
    )

    assert payload["success"]
    assert payload["warnings"] == [
        {"code": "UNUSED_VARIABLES", "message": "the content does not use what variables declares: b, c"}
    ]
