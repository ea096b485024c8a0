"""JSON documents of the local model: they fit the schema that is asked for, and are made of what was given."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from app.llm.local import LocalProvider
from app.llm.port import ConversationPart, ModelRequest, OutputSchema
from app.llm.shaping import MOST_OBJECTS, NOTHING_GIVEN, document_of
from app.workflow.stories import STORIES, read_stories
from tests.llm.conversations import assistant, gathered, stop_of, text_of, user

EXAMPLE = (Path(__file__).parents[2] / "examples" / "requirements.md").read_text()

WISHES = """# Ferry

Some words to begin with.

## Tickets

- **Booking:** passengers must be able to book a seat. They get a code.
- The crew should scan codes.
  - A code is taken once.
  - Without a network, scans are kept.
- Groups may get a discount.

## Open questions

- Must dogs pay?
"""


def given_as(source: str, text: str) -> ConversationPart:
    """A turn that is to be answered with a document, made of a text."""
    return user("Write it as JSON.", documentChunks=[{"source": source, "text": text}])


def listing(**properties: Any) -> dict[str, Any]:
    """A schema of an object with a list of objects."""
    one = {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}
    return {"type": "object", "properties": {"items": {"type": "array", "items": one}}, "required": ["items"]}


def made(schema: dict[str, Any], *parts: ConversationPart) -> Any:
    """The document, which fits."""
    found = json.loads(document_of(parts, schema))
    Draft202012Validator(schema).validate(found)
    return found


async def test_each_requirement_becomes_an_object_that_quotes_it() -> None:
    schema = listing(
        title={"type": "string"},
        description={"type": "string"},
        checks={"type": "array", "items": {"type": "string"}},
        priority={"enum": ["low", "medium", "high"]},
        effort={"type": "integer"},
        needed={"type": "boolean"},
    )
    request = ModelRequest("extractive", (given_as("wishes.md", WISHES),), output=OutputSchema("tickets", schema))

    events = await gathered(LocalProvider().stream(request))

    assert stop_of(events) == "stop"
    assert json.loads(text_of(events)) == {
        "items": [
            {
                "title": "Booking",
                "description": "Booking: passengers must be able to book a seat. They get a code.\n\n"
                "Source: wishes.md, Tickets.",
                "checks": ["They get a code."],
                "priority": "high",
                "effort": 2,
                "needed": True,
            },
            {
                "title": "The crew should scan codes",
                "description": "The crew should scan codes.\n\nSource: wishes.md, Tickets.",
                "checks": ["A code is taken once.", "Without a network, scans are kept."],
                "priority": "medium",
                "effort": 2,
                "needed": False,
            },
            {
                "title": "Groups may get a discount",
                "description": "Groups may get a discount.\n\nSource: wishes.md, Tickets.",
                "checks": ["Groups may get a discount."],
                "priority": "low",
                "effort": 1,
                "needed": False,
            },
        ]
    }


def test_stories_of_the_example_are_stories() -> None:
    stories = read_stories(document_of([given_as("project description", EXAMPLE)], STORIES.schema))

    assert len(stories) == MOST_OBJECTS
    assert stories[0].title == "Counter staff must be able to take in a bicycle in under two minutes"
    assert len(stories[0].acceptance_criteria) == 3
    assert len({story.title for story in stories}) == len(stories)
    assert all(" ".join(story.description.split("\n")[0].split()) in " ".join(EXAMPLE.split()) for story in stories)
    assert {story.priority.value for story in stories} == {"medium", "high"}


def test_what_a_reviewer_asks_for_is_there_however_it_is_worded() -> None:
    feedback = {"source": "a reviewer's feedback on attempt 1", "text": "Add a story about lost bicycles."}
    turn = user("", documentChunks=[{"source": "description", "text": EXAMPLE}, feedback])

    titles = [each["title"] for each in made(listing(title={"type": "string"}), turn)["items"]]

    assert titles[-1] == "Add a story about lost bicycles"
    assert len(titles) == MOST_OBJECTS


def test_what_was_quoted_of_a_text_is_taken_from_the_text_itself() -> None:
    plan = '## Goals\n\n- "The crew should scan codes." (wishes.md)\n- "Ports must be deep." (map)\n'
    turn = user("", documentChunks=[{"source": "plan", "text": plan}, {"source": "wishes.md", "text": WISHES}])
    schema = listing(description={"type": "string"}, parts={"type": "array", "items": {"type": "string"}})

    found = made(schema, turn)["items"]

    assert [each["description"].partition("Source: ")[2] for each in found] == [
        "wishes.md, Tickets.", "wishes.md, Tickets.", "wishes.md, Tickets.", "plan, Goals.",
    ]  # fmt: skip
    assert found[1]["parts"] == ["A code is taken once.", "Without a network, scans are kept."]


def test_repair_is_answered_from_the_same_text_and_not_from_the_answer_that_was_wrong() -> None:
    turn = given_as("wishes.md", WISHES)

    again = document_of([turn, assistant("It must be JSON."), user("You must correct it.")], STORIES.schema)

    assert again == document_of([turn], STORIES.schema)


def test_where_nothing_was_given_what_users_say_is_taken_and_else_it_is_said() -> None:
    schema = listing(text={"type": "string"})

    assert made(schema, user("- It must float.\n- It must be red."))["items"] == [
        {"text": "It must float.\n\nSource: said by the user."},
        {"text": "It must be red.\n\nSource: said by the user."},
    ]
    assert made(schema, user("")) == {"items": [{"text": NOTHING_GIVEN}]}


@pytest.mark.parametrize(
    ("options", "chosen"),
    [
        (["critical", "minor"], "critical"),
        (["lowest", "low", "medium", "high", "highest"], "highest"),
        (["P1", "P2", "P3"], "P2"),
        (["crew", "seat", "deck"], "seat"),
        ([1, 2, 3], 2),
        ([None], None),
    ],
)
def test_word_of_an_enumeration_is_chosen_by_the_words_of_the_sentence(options: list[Any], chosen: Any) -> None:
    found = made(listing(kind={"enum": options}), given_as("wishes.md", WISHES))

    assert found["items"][0] == {"kind": chosen}


def test_references_alternatives_and_null_are_understood() -> None:
    schema = {
        "$defs": {"node": {
            "type": "object", "required": ["name"],
            "properties": {"name": {"type": "string"}, "next": {"$ref": "#/$defs/node"},
                           "below": {"type": "array", "items": {"$ref": "#/$defs/node"}}},
        }},
        "type": "object",
        "properties": {
            "tree": {"$ref": "#/$defs/node"},
            "owner": {"anyOf": [{"type": "null"}, {"type": "string", "maxLength": 5}]},
            "due": {"type": ["null", "integer"], "exclusiveMinimum": 20, "multipleOf": 5},
            "kind": {"const": "plan"},
            "both": {"allOf": [{"type": "number"}, {"maximum": 0.5}]},
            "nothing": {"type": "null"},
        },
        "required": ["tree", "owner", "due", "kind", "both", "nothing"],
    }  # fmt: skip

    found = made(schema, given_as("wishes.md", WISHES))

    assert (found["due"], found["kind"], found["both"], found["nothing"]) == (25, "plan", 0.5, None)
    assert found["tree"]["name"]


lengths = st.integers(0, 40)
texts = st.builds(
    lambda least, more, name: (name, {"type": "string", "minLength": least, "maxLength": least + more}),
    lengths, lengths, st.sampled_from(["title", "name", "shortSummary", "description", "who", "x"]),
)  # fmt: skip
numbers = st.builds(
    lambda low, more, kind: ("size", {"type": kind, "minimum": low, "maximum": low + more}),
    st.integers(-50, 50), st.integers(0, 50), st.sampled_from(["integer", "number"]),
)  # fmt: skip
enums = st.lists(st.sampled_from(["low", "high", "must", "red", "1"]) | st.integers(), min_size=1, unique=True).map(
    lambda options: ("kind", {"enum": options})
)
lists = st.builds(
    lambda least, more: (
        "criteria", {"type": "array", "items": {"type": "string"}, "minItems": least, "maxItems": least + more}
    ),
    st.integers(0, 9), st.integers(0, 5),
)  # fmt: skip
schemas = st.builds(
    lambda properties, least, more: {
        "type": "object",
        "properties": {"list": {"type": "array", "minItems": least, "maxItems": least + more, "items": {
            "type": "object", "properties": dict(properties), "required": list(dict(properties)),
            "additionalProperties": False}}, "title": {"type": "string"}},
        "required": ["list", "title"],
        "additionalProperties": False,
    },
    st.lists(st.one_of(texts, numbers, enums, lists), max_size=5), st.integers(0, 30), st.integers(0, 30),
)  # fmt: skip
documents = st.lists(
    st.sampled_from(
        ["# Head", "## Part:", "- It must.", "  - below", "You should. Or may?", "", "> quoted", "```", "\0"]
    )
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=30),
    max_size=12,
).map("\n".join)


@given(schemas, documents)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_document_always_fits_its_schema(schema: dict[str, Any], text: str) -> None:
    found = made(schema, given_as("notes", text))

    assert "\0" not in json.dumps(found, ensure_ascii=False)
    assert document_of([given_as("notes", text)], schema) == document_of([given_as("notes", text)], schema)


def test_long_material_is_cut_before_it_is_read() -> None:
    long = "- It must work on day {}, and so on and so forth.\n"
    turn = given_as("notes", "".join(long.format(day) for day in range(40_000)))

    assert len(made(listing(title={"type": "string"}), turn)["items"]) == MOST_OBJECTS
