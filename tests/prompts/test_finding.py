"""Templates are found by name, as the enabled one of a project, and in lists."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.client import GraphQLClient
from tests.fakes import StatementRecorder
from tests.prompts.scenes import a_template, change, save
from tests.worlds import ClientAs, rows

LIST = """query ($filter: PromptTemplateFilter, $order: PromptTemplateOrder! = NAME_ASC) {
  promptTemplates(filter: $filter, orderBy: $order) { totalCount nodes { name } } }"""
PAGE = """query ($page: Int! = 1, $limit: Int! = 50, $filter: PromptTemplateFilter) {
  promptTemplatesPage(page: $page, limit: $limit, filter: $filter) { items { name } total page totalPages } }"""
BY_NAME = """query ($name: String!, $projectId: String, $organizationId: String) {
  promptTemplateByName(name: $name, projectId: $projectId, organizationId: $organizationId) { id content } }"""
ENABLED = """query ($projectId: String, $organizationId: String) {
  enabledPromptTemplate(projectId: $projectId, organizationId: $organizationId) { name } }"""

LIBRARY: list[dict[str, Any]] = [
    {"name": "a%", "projectId": "apollo", "organizationId": "acme", "enabled": True, "type": "SUMMARIZATION"},
    {"name": "B_", "projectId": "apollo", "organizationId": "acme", "type": "TRANSLATION"},
    {"name": "c\\", "projectId": "gemini", "enabled": True, "type": "SUMMARIZATION"},
    {"name": "D", "organizationId": "acme"},
    {"name": "e", "enabled": True},
]

FILTERS: list[tuple[dict[str, Any], str]] = [
    ({}, "a B c D e"),
    ({"projectId": "apollo"}, "a B"),
    ({"projectId": "Apollo"}, ""),
    ({"organizationId": "acme"}, "a B D"),
    ({"projectId": "apollo", "organizationId": "none"}, ""),
    ({"enabled": True}, "a c e"),
    ({"enabled": False}, "B D"),
    ({"type": "SUMMARIZATION"}, "a c"),
    ({"type": "CUSTOM", "enabled": True}, "e"),
    ({"text": "b"}, "B"),
    ({"text": "A"}, "a"),
    ({"text": "%"}, "a"),
    ({"text": "_"}, "B"),
    ({"text": "\\"}, "c"),
    ({"text": ""}, "a B c D e"),
    ({"text": "ab"}, ""),
    ({"label": "production"}, "D e"),
    ({"label": "production", "enabled": True}, "e"),
    ({"label": "staging"}, ""),
    ({"projectId": None, "enabled": None, "type": None, "text": None, "label": None}, "a B c D e"),
]
"""Conditions, and the first letters of the templates that meet them."""


@pytest.fixture
async def library(client: GraphQLClient, dsn: str) -> GraphQLClient:
    """A client with five templates, made on the first days of May, changed in June backwards; and one deleted."""
    for day, template in enumerate(LIBRARY, 1):
        made = await a_template(client, content=f"Content {day}", **template)
        if template["name"] in ("D", "e"):
            await change(client, "setPromptLabel", made, label="production", version=1)
        times = datetime(2026, 5, day, tzinfo=UTC), datetime(2026, 6, 10 - day, tzinfo=UTC)
        await _set_times(dsn, template["name"], *times)
    gone = await a_template(client, "gone", projectId="apollo", organizationId="acme")
    await change(client, "deletePromptTemplate", gone)
    return client


async def _set_times(dsn: str, name: str, created: datetime, updated: datetime) -> None:
    await rows(dsn, "ALTER TABLE prompt_templates DISABLE TRIGGER USER")
    await rows(
        dsn, "UPDATE prompt_templates SET created_at = $2, updated_at = $3 WHERE name = $1", name, created, updated
    )
    await rows(dsn, "ALTER TABLE prompt_templates ENABLE TRIGGER USER")


def letters(nodes: list[dict[str, Any]]) -> str:
    return " ".join(node["name"][0] for node in nodes)


async def test_lists_hold_what_meets_every_condition(library: GraphQLClient) -> None:
    for filter_, expected in FILTERS:
        listed = (await library.data(LIST, {"filter": filter_}))["promptTemplates"]
        paged = (await library.data(PAGE, {"filter": filter_}))["promptTemplatesPage"]

        # In the database's order of names, which is that of its locale.
        assert sorted(letters(listed["nodes"]).split()) == sorted(expected.split()), filter_
        assert letters(paged["items"]) == letters(listed["nodes"])
        assert listed["totalCount"] == paged["total"] == len(expected.split())


async def test_lists_have_the_order_that_is_asked_for(library: GraphQLClient) -> None:
    async def listed(order: str) -> str:
        return letters((await library.data(LIST, {"order": order}))["promptTemplates"]["nodes"])

    by_name = await listed("NAME_ASC")

    assert (await listed("NAME_DESC")).split() == by_name.split()[::-1]
    assert await listed("CREATED_AT_ASC") == "a B c D e"
    assert await listed("CREATED_AT_DESC") == "e D c B a"
    assert await listed("UPDATED_AT_DESC") == "a B c D e"
    assert await listed("UPDATED_AT_ASC") == "e D c B a"


@pytest.mark.parametrize("order", ["NAME_ASC", "NAME_DESC", "UPDATED_AT_DESC", "CREATED_AT_ASC"])
async def test_cursors_lead_through_the_list_both_ways(library: GraphQLClient, order: str) -> None:
    whole = await walked(library, order, "first", "after", "endCursor", "hasNextPage")
    back = await walked(library, order, "last", "before", "startCursor", "hasPreviousPage")

    assert sorted(letter for page in whole for letter in page) == ["B", "D", "a", "c", "e"]
    assert [letter for page in back[::-1] for letter in page] == [letter for page in whole for letter in page]
    assert [len(page) for page in whole] == [len(page) for page in back] == [2, 2, 1]


async def walked(
    client: GraphQLClient, order: str, amount: str, position: str, cursor: str, more: str
) -> list[list[str]]:
    query = f"""query ($at: String) {{ promptTemplates(orderBy: {order}, {amount}: 2, {position}: $at) {{
      nodes {{ name }} pageInfo {{ {cursor} {more} }} }} }}"""
    pages: list[list[str]] = []
    at: str | None = None
    while True:
        found = (await client.data(query, {"at": at}))["promptTemplates"]
        pages.append([node["name"][0] for node in found["nodes"]])
        if not found["pageInfo"][more]:
            return pages
        at = found["pageInfo"][cursor]


async def test_pages_are_counted_from_one(library: GraphQLClient) -> None:
    whole = letters((await library.data(LIST))["promptTemplates"]["nodes"]).split()
    pages = [(await library.data(PAGE, {"page": page, "limit": 2}))["promptTemplatesPage"] for page in (1, 2, 3, 4)]

    assert [letters(page["items"]).split() for page in pages] == [whole[:2], whole[2:4], whole[4:], []]
    assert [(page["total"], page["page"], page["totalPages"]) for page in pages] == [(5, n, 3) for n in (1, 2, 3, 4)]
    far = (await library.data(PAGE, {"page": 2**31 - 1, "limit": 100}))["promptTemplatesPage"]
    assert far == {"items": [], "total": 5, "page": 2**31 - 1, "totalPages": 1}


async def test_an_empty_library_has_no_pages(client: GraphQLClient) -> None:
    found = (await client.data(PAGE))["promptTemplatesPage"]

    assert found == {"items": [], "total": 0, "page": 1, "totalPages": 0}


@pytest.mark.parametrize(("field", "value"), [("page", 0), ("page", -1), ("limit", 0), ("limit", 101), ("limit", -5)])
async def test_a_page_that_there_cannot_be_is_refused(client: GraphQLClient, field: str, value: int) -> None:
    answer = await client.answer(PAGE, {field: value})

    assert answer["errors"][0]["extensions"]["code"] == "VALIDATION_ERROR"
    assert answer["errors"][0]["extensions"]["field"] == field


async def test_a_name_is_found_in_its_place_alone(library: GraphQLClient) -> None:
    async def found(name: str, project: str | None = None, organization: str | None = None) -> Any:
        sent = {"name": name, "projectId": project, "organizationId": organization}
        template = (await library.data(BY_NAME, sent))["promptTemplateByName"]
        return template and template["content"]

    assert await found("a%", "apollo", "acme") == "Content 1"
    assert await found("D", None, "acme") == "Content 4"
    assert await found("e") == "Content 5"
    assert await found("A%", "apollo", "acme") is None
    assert await found("a%", "apollo") is None
    assert await found("a%") is None
    assert await found("gone", "apollo", "acme") is None


async def test_the_enabled_one_is_found_in_its_place_alone(library: GraphQLClient) -> None:
    async def found(project: str | None = None, organization: str | None = None) -> Any:
        sent = {"projectId": project, "organizationId": organization}
        template = (await library.data(ENABLED, sent))["enabledPromptTemplate"]
        return template and template["name"]

    assert await found("apollo", "acme") == "a%"
    assert await found("gemini") == "c\\"
    assert await found() == "e"
    assert await found("apollo") is None
    assert await found(None, "acme") is None


async def test_the_library_is_all_the_tenants_and_no_other_ones(library: GraphQLClient, client_as: ClientAs) -> None:
    colleague, stranger = await client_as("bob"), await client_as("mallory@other")

    assert (await colleague.data(LIST))["promptTemplates"]["totalCount"] == 5
    assert (await stranger.data(LIST))["promptTemplates"] == {"totalCount": 0, "nodes": []}
    assert (await stranger.data(PAGE))["promptTemplatesPage"]["total"] == 0
    assert (await stranger.data(BY_NAME, {"name": "e"}))["promptTemplateByName"] is None
    assert (await stranger.data(ENABLED))["enabledPromptTemplate"] is None


async def test_lists_cost_the_same_however_many_there_are(client: GraphQLClient, statements: StatementRecorder) -> None:
    query = """{ promptTemplates { totalCount nodes { name content labels { label } diff(from: 1, to: 2) { unified } } }
      promptTemplatesPage { total totalPages items { name latestVersion { content } } } }"""

    async def cost() -> int:
        statements.clear()
        await client.data(query)
        return len(statements.sent)

    await save(client, await a_template(client, "first"), 1, content="Changed")
    one = await cost()
    for number in range(4):
        await save(client, await a_template(client, f"n{number}"), 1, content="Changed")

    assert await cost() == one <= 7


async def test_a_page_reads_what_is_selected_alone(library: GraphQLClient, statements: StatementRecorder) -> None:
    statements.clear()
    await library.data("{ promptTemplatesPage { items { name } } }")

    assert len(statements.sent) == 1
    assert "content" not in statements.sent[0]


async def test_two_versions_are_compared(client: GraphQLClient) -> None:
    made = await a_template(client, "greeting", "Hello!\nHow are you?", description="Kind")
    await save(client, made, 1, content="Hello {{name}}!\nHow are you?", variables=[{"name": "name"}])
    query = """query ($id: ID!, $from: Int!, $to: Int!) {
      promptTemplate(id: $id) { diff(from: $from, to: $to) { from to unified addedLines removedLines } } }"""

    there = (await client.data(query, {"id": made, "from": 1, "to": 2}))["promptTemplate"]["diff"]
    back = (await client.data(query, {"id": made, "from": 2, "to": 1}))["promptTemplate"]["diff"]
    same = (await client.data(query, {"id": made, "from": 2, "to": 2}))["promptTemplate"]["diff"]

    assert (there["addedLines"], there["removedLines"]) == (2, 1)
    assert (back["addedLines"], back["removedLines"]) == (1, 2)
    assert "--- content, version 1\n+++ content, version 2\n" in there["unified"]
    assert "-Hello!\n+Hello {{name}}!" in there["unified"]
    assert "description" not in there["unified"].replace('"description"', "")
    assert same == {"from": 2, "to": 2, "unified": "", "addedLines": 0, "removedLines": 0}


@pytest.mark.parametrize(("from_", "to", "field"), [(3, 1, "from"), (1, 3, "to"), (0, 1, "from"), (-1, 1, "from")])
async def test_a_version_that_is_not_there_is_not_compared(
    client: GraphQLClient, from_: int, to: int, field: str
) -> None:
    made = await a_template(client)
    query = f'{{ promptTemplate(id: "{made}") {{ diff(from: {from_}, to: {to}) {{ unified }} }} }}'

    answer = await client.answer(query)

    assert answer["errors"][0]["extensions"]["code"] == "NOT_FOUND"
    assert answer["errors"][0]["extensions"]["field"] == field
