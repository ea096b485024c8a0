"""Answers that are to be JSON of a schema: what providers on the network are asked, and that it comes as text."""

import json
from typing import Any

import pytest

from app.llm.port import OutputSchema, TextDelta
from app.workflow.stories import STORIES, read_stories
from tests.llm.conversations import WEATHER, models_at, stop_of, text_of, user
from tests.llm.hosted import ANTHROPIC, COMPATIBLE, OPENAI, answer, ask
from tests.llm.provider_servers import ProviderServer, anthropic_answer, openai_answer

CITY = OutputSchema(
    "city",
    {
        "type": "object",
        "properties": {"name": {"type": "string"}, "inhabitants": {"type": "integer"}},
        "required": ["name", "inhabitants"],
        "additionalProperties": False,
    },
)
ROME = '{"name": "Rome", "inhabitants": 2746984}'
STORY = {
    "title": "Book", "description": "d", "acceptance_criteria": ["a"], "priority": "high", "estimate": 3,
}  # fmt: skip


def told(body: dict[str, Any]) -> str:
    """All that the model reads before the user's turn."""
    system = body.get("system") or [part["content"] for part in body["messages"] if part["role"] != "user"]
    return json.dumps(system)


@pytest.mark.parametrize("model", [OPENAI, COMPATIBLE])
async def test_server_that_speaks_as_openai_does_is_sent_the_schema(server: ProviderServer, model: str) -> None:
    server.script(answer(model, ROME))

    events = await ask(models_at(server.url), model, user("The capital?"), output=CITY)

    assert text_of(events) == ROME
    assert sum(isinstance(event, TextDelta) for event in events) > 2
    assert stop_of(events) == "stop"
    assert server.requests[0].body["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "city", "schema": CITY.schema, "strict": True},
    }
    # OpenAI tells its models of the schema; whether others do, nobody knows.
    assert ("inhabitants" in told(server.requests[0].body)) == (model == COMPATIBLE)
    assert "tools" not in server.requests[0].body


async def test_anthropic_is_sent_the_schema(server: ProviderServer) -> None:
    server.script(answer(ANTHROPIC, ROME))

    events = await ask(models_at(server.url), ANTHROPIC, user("The capital?"), output=CITY)

    assert text_of(events) == ROME
    format_ = server.requests[0].body["output_config"]["format"]
    assert format_["type"] == "json_schema"
    assert format_["schema"]["required"] == ["name", "inhabitants"]


@pytest.mark.parametrize("model", ["openai:gpt-4", "openai:gpt-3.5-turbo", "anthropic:claude-of-old"])
async def test_model_that_cannot_be_held_to_a_schema_is_told_of_it(server: ProviderServer, model: str) -> None:
    server.script(anthropic_answer(ROME) if model.startswith("anthropic") else openai_answer(ROME))

    events = await ask(models_at(server.url), model, user("The capital?"), output=CITY)

    body = server.requests[0].body
    assert text_of(events) == ROME
    assert "inhabitants" in told(body)
    assert body.keys().isdisjoint({"response_format", "output_config", "tools"})
    assert "The capital?" in json.dumps(body["messages"][-1])


@pytest.mark.parametrize("model", [OPENAI, COMPATIBLE, ANTHROPIC])
async def test_schema_and_tools_go_together(server: ProviderServer, model: str) -> None:
    server.script(answer(model, ROME))

    await ask(models_at(server.url), model, user("The capital?"), output=CITY, tools=(WEATHER,))

    body = server.requests[0].body
    assert len(body["tools"]) == 1
    assert "response_format" in body or "output_config" in body


@pytest.mark.parametrize("model", [OPENAI, COMPATIBLE, ANTHROPIC])
async def test_without_a_schema_nothing_is_said_of_one(server: ProviderServer, model: str) -> None:
    server.script(answer(model, "Rome"))

    await ask(models_at(server.url), model, user("The capital?"))

    assert server.requests[0].body.keys().isdisjoint({"response_format", "output_config", "system"})
    assert len(server.requests[0].body["messages"]) == 1


@pytest.mark.parametrize("model", [OPENAI, COMPATIBLE, ANTHROPIC])
async def test_schema_of_stories_is_sent_as_it_is(server: ProviderServer, model: str) -> None:
    written = json.dumps({"stories": [STORY]})
    server.script(answer(model, written))

    events = await ask(models_at(server.url), model, user("Stories, please"), output=STORIES)

    assert [story.title for story in read_stories(text_of(events))] == ["Book"]
    body = server.requests[0].body
    asked = body["output_config"]["format"] if model == ANTHROPIC else body["response_format"]["json_schema"]
    sent, wanted = (schema["properties"]["stories"]["items"] for schema in (asked["schema"], STORIES.schema))
    # Anthropic's library leaves the type of an enumeration out; bounds, of which there are none, it would too.
    sent["properties"]["priority"].setdefault("type", "string")
    assert sent == wanted
    assert list(sent["properties"]) == list(wanted["properties"])
