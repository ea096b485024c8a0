"""What of a conversation a model has in view."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.llm.errors import WindowExceeded
from app.llm.port import ConversationPart, OutputSchema, Speaker, ToolCallRequested, ToolSpecification
from app.llm.tokens import count_tokens
from app.llm.window import (
    TOKENS_BEFORE_ANSWER,
    TOKENS_PER_MESSAGE,
    TOKENS_PER_TOOL,
    ContextWindow,
    ContextWindows,
    View,
    fit,
    tokens_of,
    tokens_of_output,
    tokens_of_tools,
)
from tests.llm.conversations import WEATHER, assistant, tool_result, user

LOCAL = "local:echo"


def system(text: str) -> ConversationPart:
    return ConversationPart(Speaker.SYSTEM, text)


def window_of(tokens: int, model: str = LOCAL) -> ContextWindow:
    """A window with so many tokens for the conversation."""
    return ContextWindow(model, tokens, 0)


texts = st.text("ab de\n", max_size=40) | st.text(max_size=12)


@st.composite
def exchanges(draw: st.DrawFn) -> list[ConversationPart]:
    """What a user says, with what follows it: calls with their results, answers, instructions in between."""
    said = [user(draw(texts), **draw(st.sampled_from([{}, {"insights": [{"text": "it rained"}]}])))]
    for number in range(draw(st.integers(0, 2))):
        ids = [f"call-{id(said)}-{number}-{which}" for which in range(draw(st.integers(1, 2)))]
        said.append(assistant(draw(texts), *(ToolCallRequested(id_, "weather", "{}") for id_ in ids)))
        said += [tool_result(id_, draw(texts)) for id_ in ids]
    said += [assistant(draw(texts)) for _ in range(draw(st.integers(0, 2)))]
    if draw(st.booleans()):
        said.insert(draw(st.sampled_from([0, len(said)])), system(draw(texts)))
    return said


@st.composite
def conversations(draw: st.DrawFn) -> tuple[list[ConversationPart], int]:
    """A conversation, and where its last question is; the run that answers it may have called tools already."""
    greeting = draw(st.sampled_from([[], [assistant("Welcome!")], [system("Be brief.")]]))
    before = [part for exchange in draw(st.lists(exchanges(), max_size=6)) for part in exchange]
    asked = draw(exchanges())
    question_at = next(place for place, part in enumerate(asked) if part.speaker is Speaker.USER)
    return [*greeting, *before, *asked], len(greeting) + len(before) + question_at


def required(parts: list[ConversationPart], question_at: int) -> list[ConversationPart]:
    return [part for place, part in enumerate(parts) if part.speaker is Speaker.SYSTEM or place >= question_at]


def fitted(parts: list[ConversationPart], question_at: int, tokens: int) -> View | None:
    """What is in view; None where it is refused."""
    try:
        return fit(parts, window_of(tokens), question_at)
    except WindowExceeded:
        return None


@given(conversations(), st.integers(0, 400))
def test_what_is_in_view_is_the_newest_part_in_order_and_fits(
    conversation: tuple[list[ConversationPart], int], tokens: int
) -> None:
    parts, question_at = conversation
    whole = sum(tokens_of(part, LOCAL) for part in parts) + TOKENS_BEFORE_ANSWER

    view = fitted(parts, question_at, tokens)

    if view is None:
        needed = sum(tokens_of(part, LOCAL) for part in required(parts, question_at))
        assert needed + TOKENS_BEFORE_ANSWER > tokens
        return
    seen = view.conversation
    assert view.use.used_tokens == sum(tokens_of(part, LOCAL) for part in seen) + TOKENS_BEFORE_ANSWER <= tokens
    assert (view.use.messages, view.use.left_out_messages) == (len(seen), len(parts) - len(seen))
    assert (view.use.left_out_tokens > 0) == (len(seen) < len(parts))
    # A suffix, but for what the system says.
    spoken = [part for part in parts if part.speaker is not Speaker.SYSTEM]
    seen_of_it = [part for part in seen if part.speaker is not Speaker.SYSTEM]
    assert seen_of_it == spoken[len(spoken) - len(seen_of_it) :]
    assert [part for part in seen if part.speaker is Speaker.SYSTEM] == [
        part for part in parts if part.speaker is Speaker.SYSTEM
    ]
    assert list(seen) == [part for part in parts if any(part is kept for kept in seen)]
    assert (len(seen) == len(parts)) == (whole <= tokens)


@given(conversations(), st.integers(0, 400))
def test_calls_are_in_view_with_their_results_and_answers_with_their_question(
    conversation: tuple[list[ConversationPart], int], tokens: int
) -> None:
    parts, question_at = conversation

    view = fitted(parts, question_at, tokens)

    if view is None:
        return
    called = [call.call_id for part in view.conversation for call in part.tool_calls]
    told = [part.tool_call_id for part in view.conversation if part.speaker is Speaker.TOOL]
    assert called == told
    assert all(any(part is seen for seen in view.conversation) for part in required(parts, question_at))
    if view.use.left_out_messages:
        first = next(part for part in view.conversation if part.speaker is not Speaker.SYSTEM)
        assert first.speaker is Speaker.USER


@given(conversations(), st.integers(0, 400), st.integers(0, 200))
def test_a_larger_window_never_shows_less(
    conversation: tuple[list[ConversationPart], int], tokens: int, more: int
) -> None:
    parts, question_at = conversation

    small, large = fitted(parts, question_at, tokens), fitted(parts, question_at, tokens + more)

    if small is None:
        return
    assert large is not None
    assert large.conversation[len(large.conversation) - len(small.conversation) :][-1] is small.conversation[-1]
    assert all(any(part is kept for kept in large.conversation) for part in small.conversation)


def test_nothing_older_is_taken_where_something_newer_does_not_fit() -> None:
    parts = [user("old"), assistant("short"), user("long " * 200), assistant("fine"), user("new?")]

    view = fit(parts, window_of(60), 4)

    assert [part.text for part in view.conversation] == ["new?"]
    assert (view.use.messages, view.use.left_out_messages) == (1, 4)
    assert 200 < view.use.left_out_tokens < 400


def test_calls_and_results_of_the_running_run_are_in_view_whatever_they_take() -> None:
    call = ToolCallRequested("one", "weather", '{"city": "Rome"}')
    parts = [user("old"), assistant("answer"), user("Weather?"), assistant("", call), tool_result("one", "sunny " * 50)]
    running = sum(tokens_of(part, LOCAL) for part in parts[2:]) + TOKENS_BEFORE_ANSWER

    view = fit(parts, window_of(running), 2)
    with pytest.raises(WindowExceeded) as refused:
        fit(parts, window_of(running - 7), 2)

    assert view.conversation == tuple(parts[2:])
    assert view.use.used_tokens == running
    assert refused.value.message == (
        f"local:echo would have to read {running} tokens at the least, and has room for {running - 7}: 7 too many"
    )
    assert refused.value.hint is not None
    assert refused.value.details == {"model": LOCAL, "neededTokens": running, "budgetTokens": running - 7}


def test_result_that_is_to_be_answered_has_its_question_and_call_with_it() -> None:
    call = ToolCallRequested("one", "weather", "{}")
    parts = [user("old"), assistant("answer"), user("Weather?"), assistant("", call), tool_result("one", "sunny")]

    view = fit(parts, window_of(35), 4)

    assert view.conversation == tuple(parts[2:])


def test_conversation_that_nobody_asked_in_is_in_view_whole() -> None:
    parts = [system("Be brief."), assistant("Welcome!"), assistant("Are you there?")]

    assert fit(parts, window_of(100), 2).conversation == tuple(parts)
    assert fit([], window_of(100), 0).conversation == ()


def test_greeting_is_in_view_where_all_is_and_nothing_was_before_it() -> None:
    parts = [assistant("Welcome!"), user("Hello"), assistant("Hi"), user("Well?")]

    assert fit(parts, window_of(100), 3).conversation == tuple(parts)
    assert fit(parts, window_of(100), 3, whole=False).conversation == tuple(parts[1:])


def test_everything_that_is_sent_is_counted() -> None:
    call = ToolCallRequested("one", "weather", '{"city": "Rome"}')
    text, items = "What was it?", {"insights": [{"text": "it rained"}]}
    framed = '<context kind="insights">\n{"text":"it rained"}\n</context>\n\nWhat was it?'

    def count(of: str) -> int:
        return count_tokens(of, "gpt-4o").tokens

    assert tokens_of(user(text), "openai:gpt-4o") == TOKENS_PER_MESSAGE + count(text)
    assert tokens_of(user(text, **items), "openai:gpt-4o") == TOKENS_PER_MESSAGE + count(framed)
    # Providers are not sent the context of answers, the built-in model reads it.
    answer = replace(assistant(text), context=items)
    assert tokens_of(answer, "openai:gpt-4o") == TOKENS_PER_MESSAGE + count(text)
    assert tokens_of(answer, LOCAL) == TOKENS_PER_MESSAGE + count(framed)
    assert tokens_of(assistant("", call), "openai:gpt-4o") == (
        TOKENS_PER_MESSAGE + TOKENS_PER_TOOL + count("weather") + count('{"city": "Rome"}')
    )
    assert tokens_of_tools((WEATHER,), "openai:gpt-4o") > TOKENS_PER_TOOL + count(WEATHER.description)


def test_tools_take_room_of_the_conversation() -> None:
    parts = [user("one"), assistant("two"), user("three")]
    large = ToolSpecification("search", "word " * 60, {"type": "object"})

    without, with_tool = fit(parts, window_of(93), 2), fit(parts, window_of(93), 2, (large,))

    assert (without.use.messages, with_tool.use.messages) == (3, 1)
    assert with_tool.use.used_tokens == (
        tokens_of_tools((large,), LOCAL) + tokens_of(parts[2], LOCAL) + TOKENS_BEFORE_ANSWER
    )


def test_schema_of_the_answer_takes_room_of_the_conversation() -> None:
    parts = [user("one"), assistant("two"), user("three")]
    output = OutputSchema("words", {"type": "object", "description": "word " * 60})

    with_schema = fit(parts, window_of(93), 2, (), output)

    assert with_schema.use.messages == 1
    assert with_schema.use.used_tokens == (
        tokens_of_output(output, LOCAL) + tokens_of(parts[2], LOCAL) + TOKENS_BEFORE_ANSWER
    )


def test_window_is_the_operators_else_what_is_known_else_the_default() -> None:
    windows = ContextWindows({"compatible:llama3": 8_192, "openai:gpt-4o": 1_000}, otherwise=2_000, reserve=100)

    assert windows.of("compatible:llama3", None).tokens == 8_192
    assert windows.of("openai:gpt-4o", None).tokens == 1_000
    assert windows.of("openai:gpt-4.1-mini", None).tokens == 1_000_000
    assert windows.of("compatible:other", None).tokens == 2_000
    assert windows.of("openai:no-such-model", None).tokens == 2_000
    assert [windows.known(model) for model in ("compatible:llama3", "local:echo", "compatible:other")] == [
        8_192,
        2**20,
        None,
    ]


def test_answer_has_what_was_asked_for_and_never_more_than_half() -> None:
    windows = ContextWindows({LOCAL: 2_000}, reserve=100)

    assert windows.of(LOCAL, None).budget_tokens == 1_900
    assert windows.of(LOCAL, 700).budget_tokens == 1_300
    assert windows.of(LOCAL, 2**31 - 1).budget_tokens == 1_000


def test_some_is_spared_where_the_count_is_an_estimate() -> None:
    windows = ContextWindows({"anthropic:claude-x": 2_000, "openai:gpt-4o": 2_000}, reserve=1_000)

    assert windows.of("openai:gpt-4o", None).budget_tokens == 1_000
    assert windows.of("anthropic:claude-x", None).budget_tokens == 800


@pytest.mark.real_data
@pytest.mark.parametrize("tokens", [3_000, 4_000, 8_000, 32_768])
def test_real_conversations_fit_at_each_of_their_questions(real_data: Path, tokens: int) -> None:
    lines = (real_data / "agent-conversations.jsonl").read_text().splitlines()
    window, sizes = ContextWindow("openai:gpt-4o", tokens, 0), []

    for line in lines:
        parts = list(_parts(json.loads(line)["messages"]))
        for place in [place for place, part in enumerate(parts) if part.speaker is Speaker.USER]:
            view = fit(parts[: place + 1], window, place)
            seen = view.conversation
            sizes.append(view.use.used_tokens)
            assert (seen[0], seen[-1]) == (parts[0], parts[place])
            assert seen[1:] == tuple(parts[place + 2 - len(seen) : place + 1])
            assert len(seen) == 1 or seen[1].speaker is not Speaker.TOOL
            called = [call.call_id for part in seen for call in part.tool_calls]
            assert called == [part.tool_call_id for part in seen if part.speaker is Speaker.TOOL]

    assert len(sizes) > 500
    assert max(sizes) <= tokens


def _parts(messages: list[dict[str, Any]]) -> Iterator[ConversationPart]:
    for message in messages:
        calls = tuple(
            ToolCallRequested(call["id"], call["function"]["name"], call["function"]["arguments"])
            for call in message.get("tool_calls") or ()
        )
        text, speaker = message["content"] or "", Speaker(message["role"])
        yield ConversationPart(speaker, text, {}, calls, message.get("tool_call_id"))
