"""A prompt is taken on: which version is meant, what is stored of it, and what is refused without a trace."""

from typing import Any

import pytest

from app.core.ids import global_id
from tests.client import GraphQLClient
from tests.execution.scenes import GREETING, amounts, execute, executed, greeting, key_of, stored_executions
from tests.prompts.scenes import a_template, change, save
from tests.schema_walk import random_id
from tests.uploads import FileToSend
from tests.worlds import ClientAs, add_file, rows, stored

NOTHING = {
    "chat_sessions": 0, "chat_messages": 0, "runs": 0, "prompt_executions": 0, "pgqueuer": 0, "events": 0,
    "client_keys": 0,
}  # fmt: skip


async def test_prompt_of_a_template_begins_a_session_with_question_answer_run_and_execution(
    client: GraphQLClient, dsn: str
) -> None:
    """S0-4, C3."""
    template = await greeting(client)

    payload = await executed(client, templateId=template, variables={"name": "Ada"})

    found = payload["promptExecution"]
    assert payload["userMessage"]["content"] == "Say hello to Ada in English."
    assert (payload["message"]["status"], payload["message"]["content"]) == ("PENDING", "")
    assert (payload["userMessage"]["sequenceNumber"], payload["message"]["sequenceNumber"]) == (1, 2)
    assert (payload["run"]["status"], payload["run"]["model"]) == ("QUEUED", "local:echo")
    assert (found["status"], found["variables"], found["label"], found["chosenVersion"]) == (
        "QUEUED", {"name": "Ada"}, None, None,
    )  # fmt: skip
    assert found["template"]["id"] == template
    assert (found["templateVersion"]["version"], found["templateVersion"]["content"]) == (1, GREETING)
    assert found["run"]["id"] == payload["run"]["id"]
    assert found["session"]["id"] == payload["session"]["id"]
    assert await amounts(dsn) == {
        "chat_sessions": 1, "chat_messages": 2, "runs": 1, "prompt_executions": 1, "pgqueuer": 1, "events": 5,
        "client_keys": 0,
    }  # fmt: skip


async def test_prompt_goes_into_the_session_that_is_named_and_bumps_it(client: GraphQLClient, dsn: str) -> None:
    """S0-5, S0-6."""
    session = await client.create_session(title="Trip")
    before = (await client.say(session, "Hello"))["message"]["id"]
    [was] = await rows(dsn, "SELECT updated_at FROM chat_sessions")

    payload = await executed(client, sessionId=session, content="Where to?")

    [row] = await rows(dsn, "SELECT updated_at, last_event, last_sequence FROM chat_sessions")
    [event] = await rows(dsn, "SELECT * FROM events WHERE kind = 'prompt.executed'")
    [execution] = await stored_executions(dsn)
    assert payload["session"] == {"id": session, "title": "Trip"}
    assert row["updated_at"] > was["updated_at"]
    assert (row["last_event"], row["last_sequence"]) == (event["seq"], 3)
    assert event["at"] == row["updated_at"] >= execution["created_at"]
    assert event["payload"] is not None
    [message] = await rows(dsn, "SELECT parent_message_id::text FROM chat_messages WHERE sequence_number = 2")
    assert message["parent_message_id"] == key_of(before)


async def test_correlation_id_is_on_execution_run_events_and_payload(client: GraphQLClient, dsn: str) -> None:
    """S0-11."""
    query = """mutation { executePrompt(input: { content: "Hello", model: "local:echo" }) {
        correlationId promptExecution { correlationId } } }"""

    answer = await client.post(query, None, **{"X-Correlation-ID": "trace-7"})

    payload = answer.json()["data"]["executePrompt"]
    assert payload == {"correlationId": "trace-7", "promptExecution": {"correlationId": "trace-7"}}
    for table in ("prompt_executions", "runs", "events"):
        found = await rows(dsn, f"SELECT DISTINCT correlation_id FROM {table}")
        assert [row["correlation_id"] for row in found] == ["trace-7"], table


@pytest.mark.parametrize(
    ("choice", "version", "label", "number"),
    [
        ({}, 3, None, None),
        ({"version": 1}, 1, None, 1),
        ({"label": "production"}, 2, "production", None),
    ],
)
async def test_version_is_the_one_that_label_or_number_name_else_the_latest(
    client: GraphQLClient, choice: dict[str, Any], version: int, label: str | None, number: int | None
) -> None:
    template = await a_template(client, "numbers", "one", projectId="p", organizationId="o", enabled=True)
    await save(client, template, 1, content="two")
    await save(client, template, 2, content="three")
    await change(client, "setPromptLabel", template, label="production", version=2)
    ways: list[dict[str, Any]] = [
        {"templateId": template},
        {"templateName": "numbers", "projectId": "p", "organizationId": "o"},
        {"enabled": True, "projectId": "p", "organizationId": "o"},
    ]

    for way in ways:
        payload = await executed(client, **way, **choice)

        found = payload["promptExecution"]
        assert (found["template"]["id"], found["templateVersion"]["version"]) == (template, version)
        assert (found["label"], found["chosenVersion"]) == (label, number)
        assert payload["userMessage"]["content"] == ("one", "two", "three")[version - 1]


@pytest.mark.parametrize(
    ("input_", "code", "field"),
    [
        ({}, "VALIDATION_ERROR", "content"),
        ({"content": "  "}, "VALIDATION_ERROR", "content"),
        ({"content": "x", "templateName": "greeting"}, "VALIDATION_ERROR", "content"),
        ({"templateId": "THEIRS", "templateName": "greeting"}, "VALIDATION_ERROR", "templateName"),
        ({"templateName": "greeting", "enabled": True}, "VALIDATION_ERROR", "enabled"),
        ({"templateId": "THEIRS", "projectId": "p"}, "VALIDATION_ERROR", "projectId"),
        ({"content": "x", "organizationId": "o"}, "VALIDATION_ERROR", "organizationId"),
        ({"content": "x", "label": "production"}, "VALIDATION_ERROR", "label"),
        ({"content": "x", "version": 1}, "VALIDATION_ERROR", "version"),
        ({"content": "x", "variables": {"name": "Ada"}}, "VALIDATION_ERROR", "variables"),
        ({"templateId": "THEIRS", "label": "a", "version": 1}, "VALIDATION_ERROR", "version"),
        ({"templateId": "THEIRS", "version": 0, "variables": {"name": "Ada"}}, "VALIDATION_ERROR", "version"),
        ({"templateId": "THEIRS", "version": 7, "variables": {"name": "Ada"}}, "NOT_FOUND", "version"),
        ({"templateId": "THEIRS", "label": "none", "variables": {"name": "Ada"}}, "NOT_FOUND", "label"),
        ({"templateName": "unknown"}, "NOT_FOUND", "templateName"),
        ({"templateName": "greeting", "projectId": "elsewhere"}, "NOT_FOUND", "templateName"),
        ({"enabled": True}, "NOT_FOUND", "enabled"),
        ({"templateId": "THEIRS"}, "VALIDATION_ERROR", "variables.name"),
        ({"templateId": "THEIRS", "variables": {"name": 1}}, "VALIDATION_ERROR", "variables.name"),
        ({"templateId": "THEIRS", "variables": {"name": "Ada", "age": 1}}, "VALIDATION_ERROR", "variables.age"),
        ({"templateId": "THEIRS", "variables": ["Ada"]}, "VALIDATION_ERROR", "variables"),
        ({"content": "x", "model": "nobody"}, "VALIDATION_ERROR", "model"),
        ({"content": "x", "model": "openai:gpt-5.5"}, "PROVIDER_NOT_CONFIGURED", None),
        ({"content": "x", "temperature": 3}, "VALIDATION_ERROR", "temperature"),
        ({"content": "x", "maxOutputTokens": 0}, "VALIDATION_ERROR", "maxOutputTokens"),
        ({"content": "x", "contextFileId": ""}, "VALIDATION_ERROR", "contextFileId"),
        ({"content": "x", "contextFileId": "f" * 256}, "VALIDATION_ERROR", "contextFileId"),
    ],
)
async def test_what_is_no_prompt_is_refused_by_the_name_of_its_field(
    client: GraphQLClient, dsn: str, input_: dict[str, Any], code: str, field: str | None
) -> None:
    template = await greeting(client)
    before = await stored(dsn)

    payload = await execute(client, **{n: template if v == "THEIRS" else v for n, v in input_.items()})

    assert (payload["success"], payload["error"]["code"], payload["error"]["field"]) == (False, code, field)
    assert payload["error"]["hint"]
    assert await stored(dsn) == before


async def test_empty_text_of_a_template_is_refused(client: GraphQLClient, dsn: str) -> None:
    template = await a_template(client, "bare", "{{x}}", variables=[{"name": "x"}])

    payload = await execute(client, templateId=template, variables={"x": " "})

    assert (payload["error"]["code"], payload["error"]["field"]) == ("VALIDATION_ERROR", "variables")
    assert (await amounts(dsn))["prompt_executions"] == 0


async def test_session_that_is_not_there_or_not_yours_is_not_found(
    client: GraphQLClient, client_as: ClientAs, dsn: str
) -> None:
    """S0-5, C1."""
    bob, stranger = await client_as("bob"), await client_as("alice@acme")
    theirs = [await bob.create_session(), await stranger.create_session(), random_id("ChatSession")]
    before = await stored(dsn)

    errors = [(await execute(client, content="Hello", sessionId=session))["error"] for session in theirs]

    assert [error["code"] for error in errors] == ["SESSION_NOT_FOUND"] * 3
    assert errors == errors[:1] * 3
    assert await stored(dsn) == before


async def test_session_of_another_is_not_found_by_an_admin_either(client_as: ClientAs, dsn: str) -> None:
    theirs = await (await client_as("bob")).create_session()
    before = await stored(dsn)

    payload = await execute(await client_as("system"), content="Hello", sessionId=theirs)

    assert payload["error"]["code"] == "SESSION_NOT_FOUND"
    assert await stored(dsn) == before


async def test_template_of_another_tenant_is_not_found(client: GraphQLClient, client_as: ClientAs, dsn: str) -> None:
    theirs = await a_template(await client_as("alice@acme"))

    payload = await execute(client, templateId=theirs)
    nowhere = await execute(client, templateId=random_id("PromptTemplate"))

    assert payload["error"] == nowhere["error"]
    assert (payload["error"]["code"], payload["error"]["field"]) == ("NOT_FOUND", "templateId")
    assert await amounts(dsn) == NOTHING


async def test_deleted_template_is_no_longer_executed(client: GraphQLClient, dsn: str) -> None:
    template = await a_template(client)
    await change(client, "deletePromptTemplate", template)

    payload = await execute(client, templateId=template)

    assert (payload["error"]["code"], payload["error"]["field"]) == ("NOT_FOUND", "templateId")
    assert (await amounts(dsn))["prompt_executions"] == 0


async def test_session_names_the_model_where_none_is_asked_for(client: GraphQLClient) -> None:
    session = await client.create_session(provider="local", model="echo")

    payload = await client.mutate("executePrompt", "run { model }", {"content": "Hello", "sessionId": session})

    assert payload["run"]["model"] == "local:echo"


async def test_text_of_an_attachment_goes_with_the_prompt(client: GraphQLClient, dsn: str) -> None:
    message = (await client.say(await client.create_session()))["message"]["id"]
    text = "First line.\n" + "word " * 3_000
    file = await add_file(client, message, FileToSend(text.encode(), "notes.txt"))

    payload = await executed(client, content="What do the notes say?", contextFileId=file)

    query = """query ($id: ID!) { message(id: $id) { content contextItems { documentChunks } } }"""
    asked = (await client.data(query, {"id": payload["userMessage"]["id"]}))["message"]
    chunks = asked["contextItems"]["documentChunks"]
    assert payload["promptExecution"]["contextFileId"] == file
    assert "".join(chunk["text"] for chunk in chunks) == text
    assert [(c["source"], c["part"], c["parts"]) for c in chunks] == [("notes.txt", 1, 2), ("notes.txt", 2, 2)]
    assert all(len(chunk["text"]) <= 8_000 for chunk in chunks)
    assert asked["content"] == "What do the notes say?"


async def test_file_that_is_kept_elsewhere_is_recorded(client: GraphQLClient, dsn: str) -> None:
    """S0-13."""
    for name in ("s3://bucket/notes.pdf", "ф" * 255, global_id("File", "7")):
        payload = await executed(client, content="Hello", contextFileId=name)

        assert payload["promptExecution"]["contextFileId"] == name
    assert [row["context"] for row in await rows(dsn, "SELECT context FROM chat_messages")] == ["{}"] * 6


async def test_attachment_of_another_is_not_found_and_a_picture_is_no_text(
    client: GraphQLClient, client_as: ClientAs, dsn: str
) -> None:
    bob = await client_as("bob")
    theirs = await add_file(bob, (await bob.say(await bob.create_session()))["message"]["id"], FileToSend(b"secret"))
    message = (await client.say(await client.create_session()))["message"]["id"]
    picture = await add_file(client, message, FileToSend(b"\x89PNG\r\n\x1a\n" + b"\0" * 20, "a.png"))
    long = await add_file(client, message, FileToSend(b"a " * 300_000, "long.txt"))
    before = await stored(dsn)

    errors = [
        (await execute(client, content="Hello", contextFileId=file))["error"]
        for file in (theirs, random_id("MessageAttachment"), picture, long)
    ]

    assert {error["field"] for error in errors} == {"contextFileId"}
    assert [error["code"] for error in errors] == ["NOT_FOUND", "NOT_FOUND", "VALIDATION_ERROR", "VALIDATION_ERROR"]
    assert errors[0] == errors[1]
    assert await stored(dsn) == before
