"""Templates are made and changed; every version stays."""

from typing import Any

from tests.client import GraphQLClient
from tests.prompts.scenes import FACTS, a_template, change, history, read, save

FILLED: dict[str, Any] = {
    "name": "summary", "content": "In short: {{ text }}", "description": "For tickets", "type": "SUMMARIZATION",
    "projectId": "apollo", "organizationId": "acme",
    "variables": [{"name": "text", "description": "The ticket", "type": "TEXT", "required": True}],
}  # fmt: skip
DECLARED = [{"name": "text", "description": "The ticket", "type": "TEXT", "required": True, "default": None}]


async def test_a_new_template_holds_what_was_given(client: GraphQLClient, dsn: str) -> None:
    payload = await client.mutate("createPromptTemplate", f"template {{ {FACTS} }}", FILLED)

    template = payload["template"]
    given = {name: FILLED[name] for name in FILLED if name != "variables"}
    assert template == {
        **given, "id": template["id"], "enabled": False, "version": 1, "revision": 1, "createdBy": "alice",
        "createdAt": template["createdAt"], "updatedBy": "alice", "updatedAt": template["createdAt"],
        "deletedAt": None, "declaredVariables": DECLARED,
    }  # fmt: skip
    assert await read(client, template["id"]) == template
    assert await history(dsn) == [(1, "created", None, None, 1)]


async def test_an_update_adds_a_version_and_the_one_before_stays(client: GraphQLClient, dsn: str) -> None:
    template = await a_template(client, **FILLED)

    payload = await save(client, template, 1, content="Shorter: {{ text }}")

    assert payload["success"], payload
    assert (payload["template"]["version"], payload["template"]["revision"]) == (2, 2)
    found = await read(
        client, template, "versions { nodes { version content savedBy type variables { name } } totalCount }"
    )
    assert found["versions"] == {
        "totalCount": 2,
        "nodes": [
            {"version": number, "content": content, "savedBy": "alice", "type": "SUMMARIZATION",
             "variables": [{"name": "text"}]}
            for number, content in ((2, "Shorter: {{ text }}"), (1, "In short: {{ text }}"))
        ],
    }  # fmt: skip
    assert await history(dsn) == [(1, "created", None, None, 1), (2, "updated", None, None, 2)]


async def test_all_that_can_be_done_is_a_line_of_the_history(client: GraphQLClient, dsn: str) -> None:
    template = await a_template(client)
    await change(client, "enablePromptTemplate", template)
    await save(client, template, 1, content="Good morning!")
    await change(client, "setPromptLabel", template, label="production", version=1)
    await change(client, "setPromptLabel", template, label="production", version=2)
    await change(client, "setPromptLabel", template, label="production", version=None)
    await change(client, "disablePromptTemplate", template)
    await change(client, "deletePromptTemplate", template)

    assert await history(dsn) == [
        (1, "created", None, None, 1),
        (2, "enabled", None, None, None),
        (3, "updated", None, None, 2),
        (4, "labelled", "production", None, 1),
        (5, "labelled", "production", 1, 2),
        (6, "unlabelled", "production", 2, None),
        (7, "disabled", None, None, None),
        (8, "deleted", None, None, None),
    ]
    shown = await read(client, template, "revision history { totalCount nodes { revision kind actor } }")
    assert shown["revision"] == shown["history"]["totalCount"] == 8
    assert [line["revision"] for line in shown["history"]["nodes"]] == [8, 7, 6, 5, 4, 3, 2, 1]
    assert {line["actor"] for line in shown["history"]["nodes"]} == {"alice"}
