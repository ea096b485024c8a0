"""What cannot be stored or asked is refused with the name of the field, and nothing is stored."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from app.messages.values import LONGEST_CONTENT
from app.sessions.values import LONGEST_DESCRIPTION, LONGEST_TITLE, MOST_TAGS
from tests.client import GraphQLClient
from tests.schema_walk import Place, answer_of, arguments_with, document, file_variables, literal_document, places
from tests.worlds import ClientAs, Conversation, ids_for, stored

UNSTORABLE = {"nul": "a\x00b", "lone surrogate": "a\ud800b"}

TEXTS = [
    place
    for operation in ("query", "mutation")
    for place in places(operation)
    if place.leaf.name == "String" and place.name not in ("after", "before")
]
IDS = [place for operation in ("query", "mutation") for place in places(operation) if place.leaf.name == "ID"]
JSONS = [place for place in places("mutation") if place.leaf.name == "JSON"]
ENUMS = [place for operation in ("query", "mutation") for place in places(operation) if hasattr(place.leaf, "values")]


@asynccontextmanager
async def storing_nothing(dsn: str) -> AsyncIterator[None]:
    """Whatever happens inside leaves every table as it was."""
    before = await stored(dsn)
    yield
    assert await stored(dsn) == before


async def refusal(client: GraphQLClient, operation: str, field: str, query: str, body: Any) -> dict[str, Any]:
    """The one error of an answer, whether it is data of a payload or an error of the request: code and field."""
    response = await client.post(query, body)
    assert response.status_code in (200, 400), response.text
    answer = response.json()
    if "errors" in answer:
        (error,) = answer["errors"]
        found = error["extensions"]
        return {"code": found["code"], "field": found.get("field"), "message": error["message"]}
    assert operation == "mutation", answer
    payload = answer["data"][field]
    assert payload["success"] is False, payload
    return dict(payload["error"])


async def refused(client: GraphQLClient, place: Place, value: object, talk: Conversation) -> dict[str, Any]:
    """How a call with `value` at a place is refused."""
    arguments = arguments_with(place, value, talk.ids)
    query = document(place.operation, place.field, arguments, answer_of(place.operation, place.field))
    return await refusal(client, place.operation, place.field, query, arguments)


async def test_text_that_no_row_can_hold_is_refused(
    client: GraphQLClient, dsn: str, talk: Conversation, subtests: pytest.Subtests
) -> None:
    async with storing_nothing(dsn):
        for place in TEXTS:
            # Written into the document only U+0000 can be: GraphQL itself refuses half a pair there.
            arguments = arguments_with(place, UNSTORABLE["nul"], talk.ids)
            query = literal_document(place.operation, place.field, arguments, answer_of(place.operation, place.field))

            with subtests.test(str(place)):
                errors = [await refused(client, place, text, talk) for text in UNSTORABLE.values()]
                errors.append(await refusal(client, place.operation, place.field, query, file_variables(arguments)))

                assert {error["code"] for error in errors} == {"VALIDATION_ERROR"}
                assert all(place.name in error["field"] for error in errors), errors


async def test_json_that_no_row_can_hold_is_refused(
    client: GraphQLClient, dsn: str, talk: Conversation, subtests: pytest.Subtests
) -> None:
    bad = [{"a": [{"b": "x\x00y"}]}, {"a\x00": 1}, {"a": "\udfff"}, {"\ud800": 1}, {"a": "x" * 600_000}]

    async with storing_nothing(dsn):
        for place in JSONS:
            with subtests.test(str(place)):
                errors = [await refused(client, place, value, talk) for value in bad]

                assert {error["code"] for error in errors} == {"VALIDATION_ERROR"}
                assert all(member_of(place) in error["field"] for error in errors), errors


@pytest.mark.parametrize("levels", [65, 900, 10_000])
async def test_json_that_nests_too_deep_is_refused(
    client: GraphQLClient, dsn: str, talk: Conversation, levels: int, subtests: pytest.Subtests
) -> None:
    deep = '{"a":' + "[" * levels + "]" * levels + "}"

    async with storing_nothing(dsn):
        for place in JSONS:
            arguments = arguments_with(place, "DEEP", talk.ids)
            query = document("mutation", place.field, arguments, answer_of("mutation", place.field))
            raw = json.dumps({"query": query, "variables": arguments}).replace('"DEEP"', deep)

            with subtests.test(str(place)):
                headers = {"Content-Type": "application/json"}
                answer = (await client.http.post("/graphql", content=raw, headers=headers)).json()

                error = (
                    answer["errors"][0]["extensions"] if "errors" in answer else answer["data"][place.field]["error"]
                )
                assert error["code"] == "VALIDATION_ERROR"
                assert member_of(place) in error["field"]


def member_of(place: Place) -> str:
    """The field of the input that a place is in."""
    return next(part for part in place.path[1:] if part != "[]")


async def test_document_that_nests_too_deep_is_refused(client: GraphQLClient, dsn: str) -> None:
    deep = "[" * 10_000 + "]" * 10_000

    async with storing_nothing(dsn):
        response = await client.post(f"mutation {{ createSession(input: {{customData: {deep}}}) {{ success }} }}")

    assert response.status_code == 400
    assert response.json()["errors"][0]["extensions"]["code"] in ("LIMIT_EXCEEDED", "BAD_USER_INPUT")


async def test_malformed_ids_are_refused(
    client: GraphQLClient, dsn: str, talk: Conversation, subtests: pytest.Subtests
) -> None:
    malformed = ["", "x", "12345", "Q2hhdFNlc3Npb24=", talk.session[:-4], talk.session + "AAAA", "é", "A" * 5_000]

    async with storing_nothing(dsn):
        for place in IDS:
            of_another_type = talk.ids["Run" if place.name == "toolCallId" else "ToolCall"]
            wrong = [] if place.field in ("node", "nodes") else [of_another_type]
            with subtests.test(str(place)):
                errors = [await refused(client, place, value, talk) for value in [*malformed, *wrong]]

                assert {error["code"] for error in errors} == {"VALIDATION_ERROR"}
                assert all(place.name in error["field"] for error in errors), errors


def malformed(place: Place, talk: Conversation) -> list[object]:
    """What cannot be asked at a place of a subscription."""
    match place.leaf.name:
        case "ID":
            return ["", "x", talk.session[:-4], talk.session + "AAAA", "é", "A" * 5_000, talk.ids["ToolCall"]]
        case "String":
            return list(UNSTORABLE.values())
        case "Int":
            return [2**31, -(2**31) - 1, "one", 0.5, -1]
        case "BigInt":
            return [str(2**63), "one", "0.5", "-1"]
        case _:
            assert hasattr(place.leaf, "values"), f"say what is no {place.leaf}"
            return ["narrator"]


async def test_what_cannot_be_followed_is_refused(talk: Conversation, live_as: ClientAs) -> None:
    listener = await live_as("alice")

    for place in places("subscription"):
        for value in malformed(place, talk):
            arguments = arguments_with(place, value, talk.ids)
            query = document("subscription", place.field, arguments, answer_of("subscription", place.field))

            (error,) = (await listener.first_event(query, arguments))["errors"]

            assert error["extensions"]["code"] in ("VALIDATION_ERROR", "BAD_USER_INPUT", "INVALID_CURSOR"), error
            assert place.name in error["extensions"].get("field", error["message"]), error


async def test_unknown_words_are_refused(
    client: GraphQLClient, dsn: str, talk: Conversation, subtests: pytest.Subtests
) -> None:
    async with storing_nothing(dsn):
        for place in ENUMS:
            with subtests.test(str(place)):
                error = await refused(client, place, "narrator", talk)

                assert error["code"] == "BAD_USER_INPUT"
                assert place.name in error["message"]


OUT_OF_BOUNDS: list[tuple[str, str, object]] = [
    ("createSession", "title", ""),
    ("createSession", "title", " \n\t"),
    ("createSession", "title", "x" * (LONGEST_TITLE + 1)),
    ("createSession", "description", "x" * (LONGEST_DESCRIPTION + 1)),
    ("createSession", "summary", "x" * 20_001),
    ("createSession", "agentId", ""),
    ("createSession", "model", "x" * 256),
    ("createSession", "provider", "x" * 256),
    ("createSession", "tags", ["x"] * (MOST_TAGS + 1)),
    ("createSession", "tags", ["fine", ""]),
    ("createSession", "tags", ["x" * 101]),
    ("createSession", "customData", [1, 2]),
    ("createSession", "clientKey", ""),
    ("createSession", "clientKey", "x" * 201),
    ("updateSession", "title", ""),
    ("updateSession", "title", None),
    ("updateSession", "status", None),
    ("setSessionMetadata", "customData", "text"),
    ("persistUserMessage", "content", ""),
    ("persistUserMessage", "content", " \n\u2003"),
    ("persistUserMessage", "content", "x" * (LONGEST_CONTENT + 1)),
    ("persistUserMessage", "metadata", [1]),
    ("persistAssistantMessage", "content", ""),
    ("persistAssistantMessage", "processingTimeMs", -1),
    ("persistAssistantMessage", "tokensUsed", -1),
    ("persistAssistantMessage", "temperature", -0.1),
    ("persistAssistantMessage", "temperature", 10.1),
    ("persistAssistantMessage", "modelUsed", "x" * 256),
    ("persistAssistantMessage", "errorCode", ""),
    ("persistAssistantMessage", "errorMessage", "x" * 4_001),
    ("editMessage", "content", " \n\u2003"),
    ("editMessage", "content", "x" * (LONGEST_CONTENT + 1)),
    ("editMessage", "metadata", [1]),
    ("updateMessage", "content", ""),
    ("updateMessage", "content", None),
    ("updateMessage", "status", None),
    ("updateMessage", "content", "x" * (LONGEST_CONTENT + 1)),
    ("addToolCall", "name", ""),
    ("addToolCall", "name", "x" * 256),
    ("addToolCall", "arguments", "x" * 8_001),
    ("addToolCall", "callId", ""),
    ("addToolCall", "error", "x" * 4_001),
    ("addToolCall", "durationMs", -1),
    ("uploadAttachment", "fileName", "x" * 256),
    ("uploadAttachment", "clientKey", " "),
    ("addToolExecution", "input", "x" * 100_001),
    ("addToolExecution", "agentId", ""),
    ("addToolExecution", "agentId", "x" * 256),
    ("addToolExecution", "status", "COMPLETED"),
    ("addToolExecution", "status", "AWAITING_APPROVAL"),
    ("addToolExecution", "approvalExpiresInSeconds", 0),
    ("addToolExecution", "approvalExpiresInSeconds", 31_536_001),
    ("updateToolExecution", "status", None),
    ("updateToolExecution", "output", "x" * 1_000_001),
    ("updateToolExecution", "error", "x" * 4_001),
    ("decideToolExecution", "comment", "x" * 4_001),
    ("sendMessage", "content", ""),
    ("sendMessage", "content", " \n\u2003"),
    ("sendMessage", "content", "x" * (LONGEST_CONTENT + 1)),
    ("sendMessage", "metadata", [1]),
    ("sendMessage", "model", ""),
    ("sendMessage", "model", "echo"),
    ("sendMessage", "model", "local:nobody"),
    ("sendMessage", "model", "local:" + "x" * 256),
    ("sendMessage", "temperature", -0.1),
    ("sendMessage", "temperature", 2.1),
    ("sendMessage", "maxOutputTokens", 0),
    ("regenerateMessage", "model", "echo"),
    ("regenerateMessage", "temperature", 2.1),
    ("regenerateMessage", "maxOutputTokens", -1),
]


async def test_values_out_of_bounds_are_refused(
    client: GraphQLClient, dsn: str, talk: Conversation, subtests: pytest.Subtests
) -> None:
    async with storing_nothing(dsn):
        for mutation, field, value in OUT_OF_BOUNDS:
            place = next(p for p in places("mutation") if p.field == mutation and field in p.path)
            short = Place("mutation", mutation, ("input", field), place.leaf)
            with subtests.test(f"{mutation} {field} {str(value)[:20]!r}"):
                error = await refused(client, short, value, talk)

                assert error["code"] == "VALIDATION_ERROR"
                assert error["field"].startswith(field)
                assert error["hint"]


@pytest.mark.parametrize(
    ("mutation", "field", "value"),
    [
        ("createSession", "title", "x" * LONGEST_TITLE),
        ("createSession", "description", "x" * LONGEST_DESCRIPTION),
        ("createSession", "summary", "x" * 20_000),
        ("createSession", "tags", ["é" * 100] * MOST_TAGS),
        ("createSession", "clientKey", "🔑" * 200),
        ("persistUserMessage", "content", "🙂" * LONGEST_CONTENT),
        ("persistAssistantMessage", "temperature", 10),
        ("editMessage", "content", "🙂" * LONGEST_CONTENT),
        ("addToolCall", "arguments", "x" * 8_000),
        ("addToolCall", "name", "x" * 255),
        ("uploadAttachment", "fileName", "é" * 255),
        ("addToolExecution", "input", "🔍" * 100_000),
        ("addToolExecution", "input", ""),
        ("addToolExecution", "approvalExpiresInSeconds", 31_536_000),
        ("updateToolExecution", "output", "🔍" * 1_000_000),
        ("updateToolExecution", "error", "x" * 4_000),
        ("decideToolExecution", "comment", "x" * 4_000),
        ("sendMessage", "content", "🙂" * LONGEST_CONTENT),
        ("sendMessage", "temperature", 2),
        ("sendMessage", "maxOutputTokens", 2**31 - 1),
    ],
)
async def test_values_at_their_bounds_are_stored(
    client: GraphQLClient, talk: Conversation, mutation: str, field: str, value: object
) -> None:
    place = next(p for p in places("mutation") if p.field == mutation and field in p.path)
    ids = await ids_for(client, mutation, talk)
    arguments = arguments_with(Place("mutation", mutation, ("input", field), place.leaf), value, ids)

    payload = await client.mutate(mutation, "correlationId", arguments["input"])

    assert payload["error"] is None


RUN_CHANGES = ("cancelRun", "retryRun")


async def test_deleted_session_takes_nothing(client: GraphQLClient, dsn: str, talk: Conversation) -> None:
    deleted = await client.mutate("deleteSession", "deletedSessionId", {"sessionId": talk.session})
    assert deleted["deletedSessionId"] == talk.session

    async with storing_nothing(dsn):
        said = await client.say(talk.session)
        updated = await client.mutate("updateSession", "correlationId", {"sessionId": talk.session, "title": "x"})
        again = await client.mutate("deleteSession", "correlationId", {"sessionId": talk.session})
        changed = await client.mutate("updateMessage", "correlationId", {"messageId": talk.question, "content": "x"})
        sent = await client.mutate("sendMessage", "correlationId", {"sessionId": talk.session, "content": "x"})
        added, updated_one, decided = [
            await client.mutate(name, "correlationId", input_)
            for name, input_ in (
                ("addToolExecution", {"toolCallId": talk.calls[0]}),
                ("updateToolExecution", {"toolExecutionId": talk.executions[0], "output": "x"}),
                ("decideToolExecution", {"toolExecutionId": talk.executions[2], "approve": True}),
            )
        ]
        anew = await client.mutate("regenerateMessage", "correlationId", {"messageId": talk.chains[0][0]})
        ended = [await client.mutate(name, "correlationId", {"runId": talk.runs[0]}) for name in RUN_CHANGES]

    codes = [
        payload["error"]["code"]
        for payload in (said, updated, again, sent, changed, anew, *ended, added, updated_one, decided)
    ]
    assert codes == ["SESSION_NOT_FOUND"] * 4 + ["MESSAGE_NOT_FOUND"] * 2 + ["NOT_FOUND"] * 5


@pytest.mark.parametrize("number", [2**31, 2**63, 10**30, 1e300, -(2**40)])
async def test_numbers_beyond_their_type_are_refused(
    client: GraphQLClient, dsn: str, talk: Conversation, number: float
) -> None:
    place = next(p for p in places("mutation") if p.field == "addToolCall" and p.name == "durationMs")

    async with storing_nothing(dsn):
        error = await refused(client, place, number, talk)

    assert error["code"] in ("BAD_USER_INPUT", "VALIDATION_ERROR")
    assert "durationMs" in error["message"]


async def test_moments_that_are_none_are_refused(
    client: GraphQLClient, talk: Conversation, subtests: pytest.Subtests
) -> None:
    moments = ["yesterday", "2026-01-31T12:00:00", "0001-01-01T00:00:00+14:00", "2026-13-01T00:00:00Z", 5]
    for place in (p for operation in ("query", "mutation") for p in places(operation) if p.leaf.name == "DateTime"):
        for moment in moments:
            with subtests.test(f"{place} {moment}"):
                error = await refused(client, place, moment, talk)

                assert error["code"] == "BAD_USER_INPUT"
                assert "DateTime" in error["message"]
