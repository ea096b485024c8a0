"""What is taken of a model's answer that is to be a list of stories, and what the model is told of one that is not."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from app.messages.values import LONGEST_CONTENT
from app.workflow.stories import (
    MOST_PROBLEMS,
    STORIES,
    WrongStories,
    as_markdown,
    one_as_markdown,
    read_stories,
    repair_request,
)
from app.workflow.values import NewStory, Priority

ONE: dict[str, Any] = {
    "title": "Book a repair",
    "description": "As a customer, I want to book a repair.",
    "acceptance_criteria": ["A booking has a day.", "A full day\ncannot be booked."],
    "priority": "high",
    "estimate": 5,
}
STORY = NewStory(ONE["title"], ONE["description"], tuple(ONE["acceptance_criteria"]), Priority.HIGH, 5)

texts = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), min_size=1, max_size=30).filter(
    str.strip
)
stories = st.lists(
    st.fixed_dictionaries(
        {
            "title": texts,
            "description": texts,
            "acceptance_criteria": st.lists(texts, min_size=1, max_size=4),
            "priority": st.sampled_from(["low", "medium", "high"]),
            "estimate": st.integers(0, 100),
        }
    ),
    min_size=1,
    max_size=5,
)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def problems_of(text: str) -> list[str]:
    with pytest.raises(WrongStories) as wrong:
        read_stories(text)
    return wrong.value.problems


def problems_with(**changed: Any) -> list[str]:
    """Of a list with one story that is like ONE, but for some members; None leaves one out."""
    story = {name: value for name, value in {**ONE, **changed}.items() if value is not None}
    return problems_of(json.dumps({"stories": [story]}))


@given(stories, st.sampled_from(["{}", " \n{}\t", "```json\n{}\n```", "```\n{}```\n", "\ufeff{}"]), st.booleans())
def test_stories_are_read_as_they_were_written(written: list[dict[str, Any]], around: str, ascii_only: bool) -> None:
    found = read_stories(around.replace("{}", json.dumps({"stories": written}, ensure_ascii=ascii_only)))

    assert [story.title for story in found] == [" ".join(story["title"].split()) for story in written]
    assert [story.description for story in found] == [story["description"].strip() for story in written]
    assert [list(story.acceptance_criteria) for story in found] == [
        [criterion.strip() for criterion in story["acceptance_criteria"]] for story in written
    ]
    assert [(story.priority, story.estimate) for story in found] == [
        (story["priority"], story["estimate"]) for story in written
    ]


@given(
    stories, st.data(), st.sampled_from(["title", "description", "acceptance_criteria", "priority", "estimate", "more"])
)
def test_nothing_is_taken_that_does_not_fit_the_schema(written: list[dict[str, Any]], data: Any, name: str) -> None:
    place = data.draw(st.integers(0, len(written) - 1))
    written[place] = data.draw(st.just({**written[place], name: data.draw(anything)}) | anything)
    answer = {"stories": written}

    try:
        read_stories(json.dumps(answer))
    except WrongStories as wrong:
        problems = wrong.problems
    else:
        problems = []
        assert Draft202012Validator(STORIES.schema).is_valid(answer)

    assert len(problems) <= MOST_PROBLEMS
    assert all(0 < len(problem) < 300 for problem in problems)


@given(st.text(st.characters(exclude_categories=[]), max_size=80))
def test_no_answer_does_any_harm(text: str) -> None:
    for answer in (text, f'{{"stories": {text}}}', f'{{"stories": [{{"title": "{text}"}}]}}'):
        assert problems_of(answer)


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        ("", "the answer is no JSON document: "),
        ("Here are your stories:", "the answer is no JSON document: "),
        ('{"stories": [', "the answer is no JSON document: "),
        ('{"stories": [{"title": "\\ud800"}]}', "the answer is no JSON document: "),
        ('{"a":' * 5_000, "the answer is no JSON document: "),
        ("[]", 'the answer must be an object with the property "stories", not []'),
        ("{}", "stories is missing"),
        ('{"stories": {}}', "stories must be a list, not {}"),
        ('{"stories": []}', "stories must have 1 to 50 members, not 0"),
        (json.dumps({"stories": [ONE] * 51}), "stories must have 1 to 50 members, not 51"),
        ('{"stories": [7]}', "stories[0] must be an object, not 7"),
        (json.dumps({"stories": [ONE], "note": 1}), "note is no property that was asked for: leave it out"),
    ],
)
def test_what_is_wrong_with_the_list_is_told(answer: str, problem: str) -> None:
    [told] = problems_of(answer)

    assert told.startswith(problem)


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"title": None}, "stories[0].title is missing"),
        ({"title": " \n "}, "stories[0].title is empty"),
        ({"title": "x" * 256}, "stories[0].title has 256 characters, and may have 255"),
        ({"title": 7}, "stories[0].title must be a text, not 7"),
        ({"title": "a\0b"}, "stories[0].title contains the character U+0000, which cannot be stored"),
        ({"description": "x" * 20_001}, "stories[0].description has 20,001 characters, and may have 20,000"),
        ({"acceptance_criteria": "x" * 99},
         f'stories[0].acceptance_criteria must be a list of texts, not "{"x" * 38}…'),
        ({"acceptance_criteria": []}, "stories[0].acceptance_criteria must have 1 to 50 members, not 0"),
        ({"acceptance_criteria": ["x"] * 51}, "stories[0].acceptance_criteria must have 1 to 50 members, not 51"),
        ({"acceptance_criteria": ["x", ""]}, "stories[0].acceptance_criteria[1] is empty"),
        ({"acceptance_criteria": ["x" * 2_001]},
         "stories[0].acceptance_criteria[0] has 2,001 characters, and may have 2,000"),
        ({"priority": "urgent"}, 'stories[0].priority must be one of low, medium, high, not "urgent"'),
        ({"estimate": True}, "stories[0].estimate must be a whole number from 0 to 100, not true"),
        ({"estimate": 2.5}, "stories[0].estimate must be a whole number from 0 to 100, not 2.5"),
        ({"estimate": 101}, "stories[0].estimate must be a whole number from 0 to 100, not 101"),
        ({"id": 1}, "stories[0].id is no property that was asked for: leave it out"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_story_is_told_with_its_place(changed: dict[str, Any], problem: str) -> None:
    assert problems_with(**changed) == [problem]


def test_not_everything_that_is_wrong_is_told() -> None:
    problems = problems_of(json.dumps({"stories": [{}] * 50}))

    assert len(problems) == MOST_PROBLEMS
    assert repair_request(problems).count("\n- ") == MOST_PROBLEMS
    assert "- stories[0].title is missing\n" in repair_request(problems)


def test_list_that_is_longer_than_what_is_stored_is_refused() -> None:
    long = {**ONE, "acceptance_criteria": ["x" * 2_000] * 50}

    [problem] = problems_of(json.dumps({"stories": [long] * 12}))

    assert problem == f"the stories together are longer than {LONGEST_CONTENT:,} characters: write less"


def test_story_is_shown_as_markdown() -> None:
    shown = (
        "## 3. Book a repair\n\nAs a customer, I want to book a repair.\n\nPriority: high. Estimate: 5 points.\n\n"
        "Acceptance criteria:\n\n- A booking has a day.\n- A full day\n  cannot be booked."
    )

    assert one_as_markdown(2, STORY) == shown
    assert as_markdown([STORY] * 3).endswith(f"\n\n{shown}")
    assert as_markdown([STORY, STORY]).count("\n## ") == 1
