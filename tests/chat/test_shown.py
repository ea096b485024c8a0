"""Of the events of an answer, what is new to somebody who has seen those before."""

from typing import Any

from app.chat.api import Shown
from app.chat.values import Appended, CalledTool, Ended, Ending, Replaced, Told


def learned(*events: dict[str, Any]) -> list[Told]:
    shown = Shown()
    return [told for event in events for told in shown.learn(event)]


def snapshot(seq: int, text: str) -> dict[str, Any]:
    return {"__typename": "CompletionSnapshot", "seq": seq, "text": text}


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
        {"__typename": "CompletionToolCall", "seq": 1, "toolCall": call},
        {"__typename": "CompletionToolCall", "seq": 2, "toolCall": None},
    )

    assert told == [CalledTool("search", '{ "q": "\ufffd[1m"}')]


def test_an_end_tells_why_and_how_to_mend_it() -> None:
    run = {"status": "FAILED", "error": {"message": "no key", "hint": "set one"}}

    told = learned({"__typename": "CompletionFailed", "seq": 1, "run": run})

    assert told == [Ended(Ending.FAILED, "no key; set one")]
