"""What is found out about a message when it is stored: intent, tokens, times, and what its writer reported."""

import threading
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import pytest

from app.db.database import Database
from app.llm.tokens import TokenCount, count_tokens
from app.messages.intent import IntentDetector
from app.messages.pipeline import MessagePipeline
from tests.client import GraphQLClient, client_of
from tests.conversations import broken_rules
from tests.fakes import FailingDetector
from tests.worlds import rows, stored

FOUND = """tokensUsed messageId message { id content tokenCount tokenCountEstimated createdAt metadata
intent { name confidence keywords } contextItems { documentChunks insights jtbds metrics }
generation { model temperature source processingTimeMs streaming } status errorCode errorMessage
pipeline { version persistedAt processingTimeMs warnings { code message } } }"""

NO_CONTEXT: dict[str, Any] = {"documentChunks": [], "insights": [], "jtbds": [], "metrics": []}


async def said(client: GraphQLClient, content: str, **input_: Any) -> dict[str, Any]:
    """The payload of a user message in a session of its own."""
    session = input_.pop("sessionId", None) or await client.create_session()
    return await client.mutate("persistUserMessage", FOUND, {"sessionId": session, "content": content, **input_})


async def answered(client: GraphQLClient, content: str, **input_: Any) -> dict[str, Any]:
    """The payload of an assistant message in a session of its own."""
    session = input_.pop("sessionId", None) or await client.create_session()
    return await client.mutate("persistAssistantMessage", FOUND, {"sessionId": session, "content": content, **input_})


async def test_the_intent_of_a_question_is_told_in_either_spelling(client: GraphQLClient) -> None:
    british = (await said(client, "Please summarise and analyse the programme"))["message"]["intent"]
    american = (await said(client, "Please summarize and analyze the program"))["message"]["intent"]

    assert british["name"] == american["name"]
    assert british["confidence"] == american["confidence"] > 0
    assert "summarise" in british["keywords"]
    assert "summarize" in american["keywords"]


async def test_an_unknown_intent_is_null_and_no_warning(client: GraphQLClient) -> None:
    payload = await said(client, "Lorem ipsum dolor sit amet")

    assert payload["message"]["intent"] is None
    assert payload["warnings"] == payload["message"]["pipeline"]["warnings"] == []


async def test_what_an_answer_reports_is_told_as_it_was_reported(client: GraphQLClient) -> None:
    context = {
        "documentChunks": [{"id": 1, "text": "…"}],
        "insights": [{"a": None}],
        "jtbds": [{}],
        "metrics": [{"n": 2.5}],
    }
    payload = await answered(
        client, "Here it is", intent={"name": "SUMMARY", "confidence": 0.75, "keywords": ["sum", "up"]},
        contextItems=context, processingTimeMs=1234, tokensUsed=99, modelUsed="gpt-4o", temperature=0.5,
        generationSource="retrieval", streaming={"durationMs": 900, "chunkCount": 12, "firstTokenMs": 80},
        metadata={"source": "web_ui"}, errorMessage="a note",
    )  # fmt: skip

    message = payload["message"]
    assert message["intent"] == {"name": "SUMMARY", "confidence": 0.75, "keywords": ["sum", "up"]}
    assert message["contextItems"] == context
    assert message["generation"] == {
        "model": "gpt-4o", "temperature": 0.5, "source": "retrieval", "processingTimeMs": 1234,
        "streaming": {"durationMs": 900, "chunkCount": 12, "firstTokenMs": 80},
    }  # fmt: skip
    assert (message["metadata"], message["status"]) == ({"source": "web_ui"}, "COMPLETED")
    assert (message["errorCode"], message["errorMessage"]) == (None, "a note")
    assert (payload["messageId"], payload["tokensUsed"]) == (message["id"], 99)


async def test_what_an_answer_does_not_report_is_empty(client: GraphQLClient) -> None:
    message = (await answered(client, "Here it is"))["message"]

    assert message["intent"] is None
    assert message["contextItems"] == NO_CONTEXT
    assert message["generation"] == {
        "model": None, "temperature": None, "source": None, "processingTimeMs": None, "streaming": {},
    }  # fmt: skip


async def test_context_items_of_a_question_are_kept_by_kind(client: GraphQLClient) -> None:
    message = (await said(client, "Why?", contextItems={"insights": [{"b": 1}, {"a": 2}]}))["message"]

    assert message["contextItems"] == {**NO_CONTEXT, "insights": [{"b": 1}, {"a": 2}]}


async def test_tokens_are_those_given_or_counted(client: GraphQLClient) -> None:
    text = "The quick brown fox jumps over the lazy dog"
    counted = count_tokens(text, "gpt-4o").tokens

    given = await answered(client, text, tokensUsed=1000, modelUsed="gpt-4o")
    known = await answered(client, text, modelUsed="gpt-4o")
    unknown = await answered(client, text, modelUsed="some-model")
    question = await said(client, text)

    shown = [
        (found["tokensUsed"], found["message"]["tokenCountEstimated"]) for found in (given, known, unknown, question)
    ]
    assert shown == [(1000, False), (counted, False), (counted, True), (counted, True)]


async def test_the_pipeline_tells_its_version_and_times(client: GraphQLClient) -> None:
    message = (await said(client, "hello"))["message"]

    assert message["pipeline"]["version"] == "1"
    assert message["pipeline"]["persistedAt"] == message["createdAt"]
    assert message["pipeline"]["processingTimeMs"] >= 0


async def test_created_at_never_goes_backwards(client: GraphQLClient, dsn: str) -> None:
    session = await client.create_session()
    # As if the database's clock had been ahead when the session was last changed.
    await rows(dsn, "UPDATE chat_sessions SET updated_at = now() + interval '1 hour'")

    first, second = [(await client.say(session))["message"]["id"] for _ in range(2)]

    query = "query ($ids: [ID!]!) { nodes(ids: $ids) { ... on ChatMessage { createdAt session { updatedAt } } } }"
    found = (await client.data(query, {"ids": [first, second]}))["nodes"]
    times = [datetime.fromisoformat(node["createdAt"]) for node in found]
    assert times[0] <= times[1] == datetime.fromisoformat(found[0]["session"]["updatedAt"])
    assert await broken_rules(dsn) == []


async def test_a_long_text_is_counted_beside_the_requests_of_others(database: Database) -> None:
    counted_in: list[threading.Thread] = []

    def watched(text: str, model: str | None) -> TokenCount:
        counted_in.append(threading.current_thread())
        return count_tokens(text, model)

    services: dict[type, object] = {MessagePipeline: MessagePipeline(IntentDetector.from_catalogue(None), watched)}
    async with client_of(database, services, "alice") as client:
        short = await said(client, "word " * 10)
        long = await said(client, "word " * 20_000)

    assert (short["tokensUsed"], long["tokensUsed"]) == (count_tokens("word " * 10).tokens, 20_001)
    assert [thread is threading.main_thread() for thread in counted_in] == [True, False]


def failing_counter(text: str, model: str | None) -> TokenCount:
    """A collaborator that is broken."""
    raise RuntimeError("the counter is broken")


@pytest.fixture
async def degraded(database: Database) -> AsyncIterator[GraphQLClient]:
    """A client of an application whose detector and token counter are broken."""
    async with client_of(
        database, {MessagePipeline: MessagePipeline(FailingDetector(), failing_counter)}, "alice"
    ) as made:
        yield made


async def test_broken_collaborators_are_warnings_of_a_stored_message(degraded: GraphQLClient) -> None:
    payload = await said(degraded, "Please cancel my booking")

    assert (payload["success"], payload["error"]) == (True, None)
    assert [warning["code"] for warning in payload["warnings"]] == ["INTENT_UNAVAILABLE", "TOKENS_UNAVAILABLE"]
    message = payload["message"]
    assert (message["content"], message["intent"]) == ("Please cancel my booking", None)
    assert (message["tokenCount"], message["tokenCountEstimated"]) == (0, True)
    assert message["pipeline"]["warnings"] == payload["warnings"]


async def test_a_replay_answers_the_same_warnings(degraded: GraphQLClient, client: GraphQLClient, dsn: str) -> None:
    session = await degraded.create_session()
    request = {"sessionId": session, "clientKey": "once"}
    first = await said(degraded, "Please cancel my booking", **request)
    before = await stored(dsn)

    # Also where the collaborators are whole again.
    for asked in (degraded, client):
        again = await said(asked, "Please cancel my booking", **request)
        assert again["deduplicated"]
        assert len(again["warnings"]) == 2
        assert {**again, "deduplicated": False} == first
    assert await stored(dsn) == before


async def test_an_answer_with_its_own_intent_and_tokens_needs_no_collaborator(degraded: GraphQLClient) -> None:
    payload = await answered(degraded, "Here it is", tokensUsed=5)

    assert (payload["warnings"], payload["tokensUsed"]) == ([], 5)


async def test_only_what_is_broken_is_missing(database: Database) -> None:
    services: dict[type, object] = {
        MessagePipeline: MessagePipeline(IntentDetector.from_catalogue(None), failing_counter)
    }
    async with client_of(database, services, "alice") as client:
        payload = await said(client, "Please cancel my booking")

    assert [warning["code"] for warning in payload["warnings"]] == ["TOKENS_UNAVAILABLE"]
    assert payload["message"]["intent"] is not None
