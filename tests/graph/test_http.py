"""GraphQL over HTTP: every request is answered with JSON, and what is wrong with it is told."""

import json
from typing import Any

import pytest

from tests.client import GraphQLClient

CREATE = 'mutation { createSession(input: { title: "By GET" }) { success } }'


async def sent(
    client: GraphQLClient, body: bytes, content_type: str = "application/json"
) -> tuple[int, dict[str, Any]]:
    """Status and answer of a body."""
    response = await client.http.post("/graphql", content=body, headers={"Content-Type": content_type})
    assert response.headers["content-type"] == "application/json; charset=utf-8"
    return response.status_code, response.json()


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"", None),
        (b"not json", None),
        (b"null", None),
        (b"5", None),
        (b'"text"', None),
        (b"[]", None),
        (b"[" * 100_000, "body"),
        (b"\xff\xfe", None),
        (b'{"query": "{ viewer { userId } }"', None),
        (b"{}", "query"),
        (b'{"query": null}', "query"),
        (b'{"query": 5}', "query"),
        (b'{"query": ""}', "query"),
        (b'{"query": "   "}', "query"),
        (b'{"query": "{ viewer { userId } }", "variables": []}', "variables"),
        (b'{"query": "{ viewer { userId } }", "variables": "text"}', "variables"),
        (b'{"query": "{ viewer { userId } }", "operationName": 5}', "operationName"),
        (b'{"query": "{ viewer { userId } }", "operationName": "Other"}', "operationName"),
        (b'{"query": "query A { viewer { userId } } query B { viewer { userId } }"}', "operationName"),
        (b'{"query": "{ viewer { userId } } { viewer { userId } }"}', None),
        (b'{"query": "fragment F on Viewer { userId }"}', None),
        (b'{"query": "# nothing"}', None),
        (b'{"query": "{ viewer { "}', None),
        (b'{"query": "{ nonsense }"}', None),
        (b'{"query": "{ sessions(first: %b) { totalCount } }"}' % (b"9" * 5_000), None),
        (b'{"query": "query ($a: Int!) { sessions(first: $a) { totalCount } }"}', None),
        (b'{"query": "query ($a: Int) { sessions(first: $a) { totalCount } }", "variables": {"a": "one"}}', None),
        (b'{"query": "subscription { nothing }"}', None),
        (b'{"query": "{ viewer { userId } } \\ud800"}', "query"),
    ],
)
async def test_malformed_requests_are_refused(client: GraphQLClient, body: bytes, field: str | None) -> None:
    status, answer = await sent(client, body)

    assert status == 400
    assert "data" not in answer
    assert {error["extensions"]["code"] for error in answer["errors"]} <= {"BAD_USER_INPUT", "VALIDATION_ERROR"}
    assert all(error["extensions"]["correlationId"] for error in answer["errors"])
    if field:
        assert answer["errors"][0]["extensions"]["field"] == field


@pytest.mark.parametrize("content_type", ["text/plain", "", "application/x-www-form-urlencoded"])
async def test_bodies_that_a_foreign_page_can_send_are_refused(client: GraphQLClient, content_type: str) -> None:
    status, answer = await sent(client, json.dumps({"query": CREATE}).encode(), content_type)

    assert status == 415
    assert answer["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"


async def test_long_body_is_refused(client: GraphQLClient) -> None:
    body = json.dumps({"query": "{ viewer { userId } }", "variables": {"a": "x" * 8_400_000}}).encode()

    status, answer = await sent(client, body)

    assert status == 413
    assert answer["errors"][0]["extensions"]["code"] == "LIMIT_EXCEEDED"


async def test_queries_are_taken_by_get(client: GraphQLClient) -> None:
    query = "query Two($n: Int) { sessions(first: $n) { totalCount } } query One { viewer { userId } }"

    one = await client.http.get("/graphql", params={"query": query, "operationName": "One"})
    two = await client.http.get("/graphql", params={"query": query, "operationName": "Two", "variables": '{"n": 2}'})

    assert one.json() == {"data": {"viewer": {"userId": "alice"}}}
    assert two.json() == {"data": {"sessions": {"totalCount": 0}}}


@pytest.mark.parametrize("params", [{}, {"query": "{ viewer"}, {"query": "{ viewer { userId } }", "variables": "{"}])
async def test_malformed_gets_are_refused(client: GraphQLClient, params: dict[str, str]) -> None:
    response = await client.http.get("/graphql", params=params)

    assert response.status_code == 400
    assert response.json()["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"


async def test_mutation_by_get_is_refused(client: GraphQLClient) -> None:
    response = await client.http.get("/graphql", params={"query": CREATE})

    assert (response.status_code, response.headers["allow"]) == (405, "GET, POST")
    assert (await client.data("{ sessions { totalCount } }"))["sessions"]["totalCount"] == 0


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
async def test_other_methods_are_refused(client: GraphQLClient, method: str) -> None:
    response = await client.http.request(method, "/graphql", json={"query": "{ viewer { userId } }"})

    assert (response.status_code, response.headers["allow"]) == (405, "GET, POST")


async def test_fields_of_a_mutation_see_what_came_before(client: GraphQLClient) -> None:
    session = await client.create_session(title="One")

    data = await client.data(
        """mutation ($id: ID!) {
          a: updateSession(input: { sessionId: $id, title: "Two" }) { session { title messageCount } }
          b: persistUserMessage(input: { sessionId: $id, content: "hello" }) {
            message { session { title messageCount } }
          }
          c: updateSession(input: { sessionId: $id, title: "" }) { success }
          d: updateSession(input: { sessionId: $id, title: "Three" }) { session { title messageCount } }
        }""",
        {"id": session},
    )

    assert data["a"]["session"] == {"title": "Two", "messageCount": 0}
    assert data["b"]["message"]["session"] == {"title": "Two", "messageCount": 1}
    assert data["c"] == {"success": False}
    assert data["d"]["session"] == {"title": "Three", "messageCount": 1}


async def test_a_document_too_long_for_the_cache_is_answered(client: GraphQLClient) -> None:
    padding = "#" + "x" * 30_000 + "\n"

    first = await client.data(padding + "{ viewer { userId } }")
    second = await client.data(padding + "{ viewer { userId } }")

    assert first == second == {"viewer": {"userId": "alice"}}


async def test_fault_of_the_server_is_masked(client: GraphQLClient, database: Any) -> None:
    await database.close()

    response = await client.post("{ sessions { totalCount nodes { id } } }")

    assert response.status_code == 200
    (error,) = response.json()["errors"]
    assert error["extensions"]["code"] == "PERSISTENCE_ERROR"
    assert error["extensions"]["retryable"] is True
