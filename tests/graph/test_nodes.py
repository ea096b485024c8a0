"""Any object by its global id, one or many at once."""

from typing import Any

import pytest

from app.core.ids import global_id
from tests.client import GraphQLClient
from tests.schema_walk import node_types, random_id
from tests.worlds import Conversation, conversation

NODES = "query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }"
NODE = "query ($id: ID!) { node(id: $id) { __typename id } }"


@pytest.fixture
async def own(client: GraphQLClient) -> Conversation:
    """An object of every type."""
    return await conversation(client)


async def nodes(client: GraphQLClient, *ids: str) -> list[dict[str, str] | None]:
    """What many ids name."""
    found: list[dict[str, str] | None] = (await client.data(NODES, {"ids": list(ids)}))["nodes"]
    return found


async def refusal(client: GraphQLClient, query: str, **variables: Any) -> tuple[str, str]:
    """The code of a refusal and what it names."""
    answer = await client.answer(query, variables)
    error = answer["errors"][0]
    return error["extensions"]["code"], error["extensions"]["field"]


async def test_every_type_of_object_is_found_by_its_id(client: GraphQLClient, own: Conversation) -> None:
    for name in node_types():
        expected = {"__typename": name, "id": own.ids[name]}
        assert (await client.data(NODE, {"id": own.ids[name]}))["node"] == expected
        assert await nodes(client, own.ids[name]) == [expected]
        assert (await client.data(NODE, {"id": random_id(name)}))["node"] is None


async def test_an_object_tells_the_fields_of_its_own_type(client: GraphQLClient, own: Conversation) -> None:
    query = """query ($ids: [ID!]!) { nodes(ids: $ids) {
      ... on ChatSession { title } ... on ChatMessage { content parent { content } } ... on ToolCall { name position }
      ... on AgentState { agentId version } ... on MessageAttachment { fileName }
      ... on ToolExecution { toolName input } ... on SessionMetadata { tags } ... on AuditEvent { kind seq }
      ... on ApiKey { name } ... on Budget { subject limitTokens }
      ... on PromptTemplate { declaredVariables { name } } ... on PromptTemplateVersion { version variables { name } }
      ... on PromptExecution { label given: variables }
      ... on Project { description stages { totalCount } } ... on Story { index title }
      ... on WorkflowStage { made: kind attempt upstream { kind } } ... on Review { pipelineStage service: serviceName }
      ... on Run { status error { message } retryOf { status } } } }"""

    found = (await client.data(query, {"ids": [own.ids[name] for name in node_types()]}))["nodes"]

    assert dict(zip(node_types(), found, strict=True)) == {
        "ChatSession": {"title": "plain"}, "ChatMessage": {"content": "plain", "parent": {"content": "plain"}},
        "ToolCall": {"name": "plain", "position": 1}, "ToolExecution": {"toolName": "plain", "input": "plain"},
        "MessageAttachment": {"fileName": "plain"},
        "ApiKey": {"name": "plain"}, "Budget": {"subject": "alice", "limitTokens": "1000000000000"},
        "SessionMetadata": {"tags": ["plain"]}, "AgentState": {"agentId": "plain", "version": 1},
        "AuditEvent": {"kind": "SESSION_CREATED", "seq": "1"},
        "PromptTemplate": {"declaredVariables": [{"name": "plain"}]},
        "PromptTemplateVersion": {"version": 1, "variables": [{"name": "plain"}]},
        "PromptExecution": {"label": "plain", "given": {"plain": "plain"}},
        "Run": {"status": "FAILED", "error": {"message": "plain"}, "retryOf": {"status": "FAILED"}},
        "Project": {"description": "plain", "stages": {"totalCount": 4}}, "Story": {"index": 0, "title": "plain 0"},
        "RequirementsAnalysis": {"made": "REQUIREMENTS_ANALYSIS", "attempt": 1, "upstream": None},
        "ProjectPlanning": {"made": "PROJECT_PLANNING", "attempt": 1, "upstream": {"kind": "REQUIREMENTS_ANALYSIS"}},
        "StoryGeneration": {"made": "STORY_GENERATION", "attempt": 1, "upstream": {"kind": "PROJECT_PLANNING"}},
        "PromptGeneration": {"made": "PROMPT_GENERATION", "attempt": 1, "upstream": {"kind": "STORY_GENERATION"}},
        "Review": {"pipelineStage": "PROMPT_GENERATION", "service": "local:echo"},
    }  # fmt: skip


async def test_many_keep_their_order_with_null_for_what_is_not_there(client: GraphQLClient, own: Conversation) -> None:
    ids = [
        own.ids["ToolCall"], random_id("ChatMessage"), own.session, own.question, own.session, random_id("AuditEvent"),
        own.ids["AuditEvent"], own.chains[0][2], own.chains[0][0],
    ]  # fmt: skip

    found = await nodes(client, *ids)

    missing = {1, 5}
    assert [node and node["id"] for node in found] == [
        None if index in missing else id_ for index, id_ in enumerate(ids)
    ]


async def test_no_ids_are_no_objects(client: GraphQLClient) -> None:
    assert await nodes(client) == []


async def test_a_hundred_ids_are_taken_and_one_more_is_refused(client: GraphQLClient, own: Conversation) -> None:
    assert len(await nodes(client, *[own.session] * 100)) == 100

    assert await refusal(client, NODES, ids=[own.session] * 101) == ("VALIDATION_ERROR", "ids")


async def test_what_is_no_id_is_refused_by_its_place(client: GraphQLClient, own: Conversation) -> None:
    key = str(own.session)
    for id_ in ("", "x", key[:-1], global_id("Nothing", "1"), global_id("ChatSession", "1"), "é", "A" * 300):
        assert await refusal(client, NODE, id=id_) == ("VALIDATION_ERROR", "id"), id_
        assert await refusal(client, NODES, ids=[own.session, id_]) == ("VALIDATION_ERROR", "ids[1]"), id_
