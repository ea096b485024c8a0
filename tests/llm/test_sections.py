"""Answers in sections: what the local model quotes under the headings that it is asked for."""

from pathlib import Path
from typing import Any

import pytest

from app.llm.extraction import OPENING
from app.llm.local import LocalProvider
from app.llm.material import NOTHING_SPEAKS_OF_IT, passages_of, sentences_of
from app.llm.port import ConversationPart, ModelRequest
from tests.llm.conversations import assistant, gathered, text_of, tool_result, user

EXAMPLE = (Path(__file__).parents[2] / "examples" / "requirements.md").read_text()

NOTES = """# Boats

## Engines

Boats use diesel fuel, approx. 9 litres an hour. A harbour has no fuel on Sundays.

## Crew:

1. The captain decides.
   - He sleeps on board.
2. Sailors need gloves.

| Harbour | Berths |
|---------|--------|
| Ostsee  | 40     |

```
fuel = "in code"
```
"""


async def said(*parts: ConversationPart) -> str:
    """What the model answers."""
    return text_of(await gathered(LocalProvider().stream(ModelRequest("extractive", parts))))


async def sections(*parts: ConversationPart) -> dict[str, list[str]]:
    """The lines under each heading of the answer."""
    text = await said(*parts)
    assert text.startswith(f"{OPENING}\n\n## ")
    blocks = text.split("\n\n## ")[1:]
    return {block.partition("\n")[0]: block.partition("\n\n")[2].split("\n") for block in blocks}


def given(*texts: tuple[str, str]) -> dict[str, Any]:
    return {"documentChunks": [{"source": source, "text": text} for source, text in texts]}


async def test_each_heading_has_the_sentences_that_speak_of_it_with_their_sources() -> None:
    asked = "Write a report.\n\n## Fuel\nWhat boats burn.\n\n## Crew\n\n## Weather\nWind and rain."

    found = await sections(user(asked, **given(("notes.md", NOTES))))

    assert found == {
        "Fuel": [
            '- "Boats use diesel fuel, approx. 9 litres an hour." (notes.md)',
            '- "A harbour has no fuel on Sundays." (notes.md)',
        ],
        "Crew": [
            '- "The captain decides." (notes.md)',
            '- "He sleeps on board." (notes.md)',
            '- "Sailors need gloves." (notes.md)',
        ],
        "Weather": [NOTHING_SPEAKS_OF_IT],
    }


async def test_earlier_turns_are_quoted_and_what_the_turn_says_itself_is_not() -> None:
    earlier = [user("Our boats burn diesel all day long."), assistant(f"{OPENING}\n\nOther boats burn coal all day.")]

    found = await sections(*earlier, user("All boats must burn wood.\n\n## Boats\nWhat boats burn."))

    assert found == {"Boats": ['- "Our boats burn diesel all day long." (said by the user)']}


async def test_what_an_answer_of_ours_quotes_is_quoted_without_its_frame() -> None:
    first = await said(user("## Fuel", **given(("notes", NOTES))))

    found = await sections(user("## Fuel\n\n## Crew", **given(("analysis", first), ("notes", NOTES))))

    assert found["Fuel"] == [
        '- "Boats use diesel fuel, approx. 9 litres an hour." (analysis)',
        '- "A harbour has no fuel on Sundays." (analysis)',
    ]
    assert found["Crew"][0] == '- "The captain decides." (notes)'


async def test_text_that_comes_in_parts_is_read_as_one() -> None:
    parts = [
        {"source": "log", "part": n, "parts": 2, "text": text} for n, text in enumerate(["Fuel was very ch", "eap."], 1)
    ]
    other = {"source": "log", "part": 1, "parts": 1, "text": "Fuel is sold out now."}

    found = await sections(
        user("## Fuel", documentChunks=[*parts, other], insights=[{"note": {"text": "Fuel smells very bad."}}])
    )

    assert found["Fuel"] == [
        '- "Fuel was very cheap." (log)',
        '- "Fuel is sold out now." (log)',
        '- "Fuel smells very bad." (insights)',
    ]


async def test_feedback_is_never_lost() -> None:
    words = ("a reviewer's feedback on attempt 1", "Mention the lighthouse keeper.")

    found = await sections(user("## Fuel\n\n## Weather", **given(("notes", NOTES), words)))

    assert found["Weather"] == [f'- "Mention the lighthouse keeper." ({words[0]})']


@pytest.mark.parametrize("text", ["Where is fuel?", "### Fuel", "#Fuel", "a ## b", "## "])
async def test_turn_without_sections_is_answered_as_ever(text: str) -> None:
    assert "\n## " not in await said(user(text, **given(("notes", NOTES))))


async def test_after_a_tool_its_result_is_told() -> None:
    assert (await said(user("## Fuel"), assistant(""), tool_result("1", "Empty."))).endswith("> Empty.")


async def test_requirements_are_analysed_as_far_as_quotes_go() -> None:
    asked = "\n\n".join(
        f"## {name}\n{line}"
        for name, line in {
            "Functional requirements": "What the system must, should or may do.",
            "Non-functional requirements": "Performance, availability, security.",
            "Constraints": "Technology, existing systems, law, budget.",
            "Open questions": "What is unclear.",
        }.items()
    )

    found = await sections(user(asked, **given(("description", EXAMPLE))))

    assert found["Functional requirements"][0].startswith('- "Counter staff must be able to take in a bicycle')
    assert [line[3:11] for line in found["Non-functional requirements"]] == [
        "The page", "The serv", "When a w", "All scre", "Customer", "Who chan", "Personal",
    ]  # fmt: skip
    assert len(found["Constraints"]) == 5
    assert all(line.endswith('" (description)') and "?" in line for line in found["Open questions"])


def test_document_is_read_as_passages_under_their_headings() -> None:
    found = [(each.text, each.headings, each.details) for each in passages_of(NOTES, "notes")]

    assert found == [
        ("Boats use diesel fuel, approx. 9 litres an hour.", ("Boats", "Engines"), ()),
        ("A harbour has no fuel on Sundays.", ("Boats", "Engines"), ()),
        ("The captain decides.", ("Boats", "Crew"), ("He sleeps on board.",)),
        ("Sailors need gloves.", ("Boats", "Crew"), ()),
        ("Harbour; Berths", ("Boats", "Crew"), ()),
        ("Ostsee; 40", ("Boats", "Crew"), ()),
    ]


def test_line_with_a_colon_is_the_heading_of_the_list_below_it() -> None:
    text = "**Must have:**\n\n- Bells\n\n  and whistles\n* Brakes\nthat work\n\nNice to have:\n- Lights\n\nThat is all."

    found = [(each.text, each.headings) for each in passages_of(text, "wishes")]

    assert found == [
        ("Bells and whistles", ("Must have",)),
        ("Brakes that work", ("Must have",)),
        ("Lights", ("Must have", "Nice to have")),
        ("That is all.", ("Must have",)),
    ]


def test_sentences_do_not_end_in_abbreviations() -> None:
    text = "Use e.g. Python. It costs 1.5 euros, i.e. nothing. And then? yes. Done"

    assert list(sentences_of(text)) == [
        "Use e.g. Python.", "It costs 1.5 euros, i.e. nothing.", "And then? yes.", "Done",
    ]  # fmt: skip
