"""The built-in provider: honest, deterministic, and streamed without a loss."""

import asyncio
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.llm.extraction import NOTHING, OPENING
from app.llm.local import LocalProvider
from app.llm.port import ConversationPart, ModelEvent, ModelRequest, Speaker, StopReason, TextDelta
from app.llm.tokens import count_tokens
from tests.llm.conversations import (
    WEATHER,
    assistant,
    calls_of,
    gathered,
    stop_of,
    text_of,
    tool_result,
    usage_of,
    user,
)

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)
CONVERSATIONS = st.lists(st.builds(ConversationPart, st.sampled_from(Speaker), TEXTS), min_size=1, max_size=8)


async def ask(*parts: ConversationPart, model: str = "extractive", **rest: Any) -> list[ModelEvent]:
    """The whole answer, as fast as possible."""
    return await gathered(LocalProvider().stream(ModelRequest(model, parts, **rest)))


async def test_answer_quotes_what_shares_words_with_the_question_and_says_who_speaks() -> None:
    events = await ask(
        user("My dog is called Rex. I live in Lisbon."), assistant("Nice."), user("How is my dog called?")
    )

    assert text_of(events) == f"{OPENING}\n\n> My dog is called Rex.\n(said earlier by the user)"
    assert stop_of(events) == "stop"


async def test_answer_quotes_context_items_of_the_question() -> None:
    events = await ask(user("Which fuel do the boats use?", documentChunks=[{"text": "Boats use diesel fuel."}]))

    assert "> Boats use diesel fuel.\n(from documentChunks)" in text_of(events)


async def test_answer_says_so_where_there_is_nothing_to_quote() -> None:
    events = await ask(user("I like tea."), user("Explain quarks."))

    assert text_of(events) == f"{OPENING}\n\n{NOTHING}"


async def test_its_own_answers_are_not_quoted_again() -> None:
    first = text_of(await ask(user("Rex barks."), user("Who barks?")))

    second = text_of(await ask(user("Rex barks."), user("Who barks?"), assistant(first), user("Who barks loudest?")))

    assert second.count("> ") == 2, "the sentence and the earlier question, each once"
    assert second.count(OPENING) == 1


async def test_languages_without_spaces_are_understood_by_pairs_of_characters() -> None:
    events = await ask(user("東京の天気は晴れです。猫が好きです。"), user("天気は?"))

    assert "> 東京の天気は晴れです。" in text_of(events)
    assert "猫" not in text_of(events)


async def test_echo_says_the_last_turn_of_the_user_once_more() -> None:
    events = await ask(user("first"), assistant("no"), user("  two\nlines\u00a0 "), assistant("yes"), model="echo")

    assert text_of(events) == "  two\nlines\u00a0 "


async def test_model_that_is_not_there_is_no_model() -> None:
    with pytest.raises(ValueError, match="gpt-4o"):
        await ask(user("hi"), model="gpt-4o")


@given(CONVERSATIONS)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_same_conversation_has_the_same_answer(conversation: list[ConversationPart]) -> None:
    first = asyncio.run(ask(*conversation))
    second = asyncio.run(ask(*conversation))

    assert first == second
    assert all(event.text for event in first if isinstance(event, TextDelta))
    assert text_of(first).startswith(OPENING)


@given(TEXTS)
@settings(max_examples=100, deadline=None)
def test_deltas_together_are_the_text_without_what_cannot_be_stored(text: str) -> None:
    events = asyncio.run(ask(user(text), model="echo"))

    assert text_of(events) == text.replace("\x00", "")
    assert all(
        0 < len(event.text.strip()) <= 24 or event.text.isspace() for event in events if isinstance(event, TextDelta)
    )


async def test_words_come_at_the_pace_that_is_set() -> None:
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    await gathered(LocalProvider(50, sleep).stream(ModelRequest("echo", (user("one two three four"),))))

    assert pauses == [0.02, 0.02, 0.02]


async def test_a_very_long_conversation_does_not_stop_the_loop() -> None:
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(others())
    events = await ask(*(user("Some words about tides and moons. " * 3_000) for _ in range(10)), user("tides?"))
    task.cancel()

    assert "> Some words about tides and moons." in text_of(events)
    assert turns > 100


async def test_limit_of_output_tokens_ends_the_answer() -> None:
    events = await ask(user("one two three four five six"), model="echo", max_output_tokens=3)

    assert text_of(events) == "one two three"
    assert stop_of(events) == "length"
    assert usage_of(events).output == 3


async def test_usage_is_counted() -> None:
    events = await ask(assistant("Hello there."), user("Say it again"), model="echo")

    assert usage_of(events).input == count_tokens("Hello there.").tokens + count_tokens("Say it again").tokens
    assert usage_of(events).output == 3
    assert usage_of(events).total == usage_of(events).input + 3


async def test_command_calls_the_tool_with_the_arguments_as_they_are_written() -> None:
    events = await ask(user('Please\n/tool weather {"city": "Rome"}\n/tool weather {broken'), tools=(WEATHER,))

    assert [(call.name, call.arguments) for call in calls_of(events)] == [
        ("weather", '{"city": "Rome"}'),
        ("weather", "{broken"),
    ]
    assert len({call.call_id for call in calls_of(events)}) == 2
    assert stop_of(events) == StopReason.TOOL_CALLS
    assert text_of(events) == ""


async def test_tool_that_is_named_is_called_with_its_required_arguments_filled_in() -> None:
    events = await ask(user("How is the weather?"), tools=(WEATHER,))

    assert [(call.name, call.arguments) for call in calls_of(events)] == [("weather", '{"city":"How is the weather?"}')]


@pytest.mark.parametrize("text", ["How are the weathers?", "/tool rockets {}", "Hello"])
async def test_tool_that_is_not_asked_for_or_not_offered_is_not_called(text: str) -> None:
    events = await ask(user(text), tools=(WEATHER,))

    assert calls_of(events) == []
    assert stop_of(events) == "stop"


async def test_answer_after_a_tool_is_its_result() -> None:
    asked = user("/tool weather {}")
    call = calls_of(await ask(asked, tools=(WEATHER,)))[0]

    events = await ask(asked, assistant("", call), tool_result(call.call_id, "22 degrees"), tools=(WEATHER,))

    assert text_of(events) == f"{OPENING}\n\nThe result of weather:\n\n> 22 degrees"
    assert stop_of(events) == "stop"
