"""Of the events of an answer, what is new to somebody who has seen those before."""

from typing import Any

from app.chat.api import Shown
from app.chat.values import Appended, CalledTool, Ended, Ending, NextTurn, Replaced, Told


def learned(*events: dict[str, Any]) -> list[Told]:
    shown = Shown()
    return [told for event in events for told in shown.learn(event)]


def snapshot(seq: int, text: str, message: str = "m1", *calls: dict[str, Any]) -> dict[str, Any]:
    written = {"id": message, "toolCalls": list(calls)}
    return {"__typename": "CompletionSnapshot", "seq": seq, "text": text, "message": written}


def turn(seq: int, message: str) -> dict[str, Any]:
    return {"__typename": "CompletionTurn", "seq": seq, "message": {"id": message}}


def delta(seq: int, text: str) -> dict[str, Any]:
    return {"__typename": "CompletionDelta", "seq": seq, "text": text}


def test_a_snapshot_in_the_middle_tells_only_what_it_adds() -> None:
    told = learned(snapshot(0, ""), delta(1, "one"), snapshot(3, "one two"), delta(4, "!"))

    assert told == [Appended("one"), Appended(" two"), Appended("!")]


def test_a_snapshot_of_another_text_replaces_what_was_told() -> None:
    told = learned(snapshot(1, "one"), snapshot(2, "uno"), delta(3, " due"))

    assert told == [Appended("one"), Replaced("uno"), Appended(" due")]


def test_a_tool_call_is_told_in_one_line_unless_its_message_is_gone() -> None:
    call = {"name": "search", "arguments": '{\n"q": "\x1b[1m"}'}

    told = learned(
        {"__typename": "CompletionToolCall", "seq": 1, "toolCall": call, "toolExecution": None},
        {"__typename": "CompletionToolCall", "seq": 2, "toolCall": None, "toolExecution": None},
    )

    assert told == [CalledTool("search", '{ "q": "\ufffd[1m"}')]


def test_a_call_that_awaits_approval_is_asked_about_once() -> None:
    call, execution = {"name": "delete", "arguments": "{}"}, {"id": "e1", "status": "AWAITING_APPROVAL"}

    told = learned(
        snapshot(0, "", "m1", {**call, "execution": execution}),
        {"__typename": "CompletionToolCall", "seq": 1, "toolCall": call, "toolExecution": execution},
        snapshot(1, "", "m1", {**call, "execution": {**execution, "status": "PENDING"}}),
    )

    assert told == [CalledTool("delete", "{}", "e1")]


def test_text_of_the_next_turn_is_told_from_its_beginning() -> None:
    told = learned(
        snapshot(1, "one"), turn(3, "m2"), delta(4, "two"), snapshot(5, "two!", "m2"), snapshot(9, "x", "m3")
    )

    assert told == [Appended("one"), NextTurn(), Appended("two"), Appended("!"), NextTurn(), Appended("x")]


def test_an_end_tells_why_and_how_to_mend_it() -> None:
    run = {"status": "FAILED", "error": {"message": "no key", "hint": "set one"}}

    told = learned({"__typename": "CompletionFailed", "seq": 1, "run": run})

    assert told == [Ended(Ending.FAILED, "no key; set one")]
