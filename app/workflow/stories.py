"""Stories as a model writes them: the schema that it is asked for, what is taken of an answer, and stories as text."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Protocol

import orjson

from app.core.errors import ValidationError
from app.core.text import require_storable
from app.llm.port import OutputSchema
from app.messages.values import LONGEST_CONTENT
from app.workflow.values import (
    HIGHEST_ESTIMATE,
    LONGEST_CRITERION,
    LONGEST_STORY,
    LONGEST_TITLE,
    MOST_CRITERIA,
    MOST_STORIES,
    NewStory,
    Priority,
)

MOST_PROBLEMS = 20
"""That are told: an answer that is wrong in more places is wrong in the same way everywhere."""

_LONGEST_SHOWN = 40
"""Characters of a wrong value that are repeated to its model."""

# Bounds are told in words: providers that hold a model to a schema refuse minLength, maxItems and their like.
STORIES = OutputSchema(
    "stories",
    {
        "type": "object",
        "properties": {
            "stories": {
                "type": "array",
                "description": f"1 to {MOST_STORIES} user stories, in the order in which they are to be built.",
                "items": {
                    "type": "object",
                    "properties": {
                        "title": {
                            "type": "string",
                            "description": f"What it is about, in a few words; at most {LONGEST_TITLE} characters.",
                        },
                        "description": {
                            "type": "string",
                            "description": (
                                "Who wants what, and why, with all that is known about it; "
                                f"at most {LONGEST_STORY:,} characters."
                            ),
                        },
                        "acceptance_criteria": {
                            "type": "array",
                            "description": (
                                f"1 to {MOST_CRITERIA} statements that can be tested; "
                                f"each at most {LONGEST_CRITERION:,} characters."
                            ),
                            "items": {"type": "string"},
                        },
                        "priority": {"type": "string", "enum": [priority.value for priority in Priority]},
                        "estimate": {
                            "type": "integer",
                            "description": f"The effort in story points, from 0 to {HIGHEST_ESTIMATE}.",
                        },
                    },
                    "required": ["title", "description", "acceptance_criteria", "priority", "estimate"],
                    "additionalProperties": False,
                },
            },
        },
        "required": ["stories"],
        "additionalProperties": False,
    },
)
"""What a model is asked for."""

_ONE: Mapping[str, Any] = STORIES.schema["properties"]["stories"]["items"]["properties"]
_FENCE = "```"


class WrongStories(Exception):
    """An answer is no list of stories. `problems` are fit to be told to the model: where, and what is wrong there."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class StoryLike(Protocol):
    """A story, checked or stored."""

    @property
    def title(self) -> str:
        """One line."""

    @property
    def description(self) -> str:
        """Markdown."""

    @property
    def acceptance_criteria(self) -> Sequence[str]:
        """Statements."""

    @property
    def priority(self) -> str:
        """A word of `Priority`."""

    @property
    def estimate(self) -> int:
        """Story points."""


def read_stories(text: str) -> tuple[NewStory, ...]:
    """The stories of a model's answer, in its order: JSON as of `STORIES`, within the bounds of what is stored.

    Spaces around texts are taken off, and a code fence around the whole. WrongStories, with at most MOST_PROBLEMS.
    """
    found = _loaded(text)
    problems = list(islice(_problems(found), MOST_PROBLEMS))
    if problems:
        raise WrongStories(problems)
    stories = tuple(_story(item) for item in found["stories"])
    if len(as_markdown(stories)) > LONGEST_CONTENT:
        raise WrongStories([f"the stories together are longer than {LONGEST_CONTENT:,} characters: write less"])
    return stories


def repair_request(problems: Sequence[str]) -> str:
    """What a model is told whose answer was no list of stories."""
    told = "\n".join(f"- {problem}" for problem in problems)
    return (
        f"Your answer cannot be used. What is wrong with it:\n\n{told}\n\n"
        "Send the whole list of stories again, corrected: one JSON object as the schema describes it, and nothing "
        "before or behind it. Keep what was right."
    )


def as_markdown(stories: Sequence[StoryLike]) -> str:
    """A list of stories for those who review it, and for the models of the next stage."""
    return "\n\n".join(one_as_markdown(index, story) for index, story in enumerate(stories))


def one_as_markdown(index: int, story: StoryLike) -> str:
    """One story; `index` counts from 0, what is shown from 1."""
    points = "1 point" if story.estimate == 1 else f"{story.estimate} points"
    criteria = "\n".join("- " + criterion.replace("\n", "\n  ") for criterion in story.acceptance_criteria)
    return (
        f"## {index + 1}. {story.title}\n\n{story.description}\n\n"
        f"Priority: {story.priority}. Estimate: {points}.\n\nAcceptance criteria:\n\n{criteria}"
    )


def _loaded(text: str) -> Any:
    try:
        found = orjson.loads(_bare(text))
    except orjson.JSONDecodeError as error:
        raise WrongStories([f"the answer is no JSON document: {error.msg} at line {error.lineno}"]) from None
    try:
        require_storable(found, "answer")
    except ValidationError as error:
        raise WrongStories([error.message.removeprefix("answer.")]) from None
    return found


def _bare(text: str) -> str:
    """An answer without what models like to put around it."""
    bare = text.strip().removeprefix("\ufeff").strip()
    if not (bare.startswith(_FENCE) and bare.endswith(_FENCE)):
        return bare
    _, _, rest = bare.partition("\n")
    return rest.removesuffix(_FENCE)


def _problems(found: Any) -> Iterator[str]:
    if not isinstance(found, dict):
        yield f'the answer must be an object with the property "stories", not {_shown(found)}'
        return
    yield from _names(found, ("stories",), "")
    if "stories" not in found:
        return
    stories = found["stories"]
    if not isinstance(stories, list):
        yield f"stories must be a list, not {_shown(stories)}"
    elif not 1 <= len(stories) <= MOST_STORIES:
        yield f"stories must have 1 to {MOST_STORIES} members, not {len(stories)}"
    else:
        for index, story in enumerate(stories):
            yield from _problems_of_one(story, f"stories[{index}]")


def _problems_of_one(story: Any, place: str) -> Iterator[str]:
    if not isinstance(story, dict):
        yield f"{place} must be an object, not {_shown(story)}"
        return
    yield from _names(story, tuple(_ONE), f"{place}.")
    for name in story:
        where = f"{place}.{name}"
        match name:
            case "title":
                yield from _text(story[name], where, LONGEST_TITLE)
            case "description":
                yield from _text(story[name], where, LONGEST_STORY)
            case "acceptance_criteria":
                yield from _criteria(story[name], where)
            case "priority":
                yield from _priority(story[name], where)
            case "estimate":
                yield from _estimate(story[name], where)


def _names(found: Mapping[str, Any], known: Sequence[str], prefix: str) -> Iterator[str]:
    yield from (f"{prefix}{name} is missing" for name in known if name not in found)
    yield from (
        f"{prefix}{_cut(name)} is no property that was asked for: leave it out" for name in found if name not in known
    )


def _text(value: Any, where: str, longest: int) -> Iterator[str]:
    if not isinstance(value, str):
        yield f"{where} must be a text, not {_shown(value)}"
    elif not value.strip():
        yield f"{where} is empty"
    elif len(value.strip()) > longest:
        yield f"{where} has {len(value.strip()):,} characters, and may have {longest:,}"


def _criteria(value: Any, where: str) -> Iterator[str]:
    if not isinstance(value, list):
        yield f"{where} must be a list of texts, not {_shown(value)}"
    elif not 1 <= len(value) <= MOST_CRITERIA:
        yield f"{where} must have 1 to {MOST_CRITERIA} members, not {len(value)}"
    else:
        for index, criterion in enumerate(value):
            yield from _text(criterion, f"{where}[{index}]", LONGEST_CRITERION)


def _priority(value: Any, where: str) -> Iterator[str]:
    words = [priority.value for priority in Priority]
    if value not in words:
        yield f"{where} must be one of {', '.join(words)}, not {_shown(value)}"


def _estimate(value: Any, where: str) -> Iterator[str]:
    # To JSON, 3.0 is a whole number; to Python, true is one.
    whole = not isinstance(value, bool) and (
        isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    )
    if not whole or not 0 <= value <= HIGHEST_ESTIMATE:
        yield f"{where} must be a whole number from 0 to {HIGHEST_ESTIMATE}, not {_shown(value)}"


def _story(found: Mapping[str, Any]) -> NewStory:
    return NewStory(
        " ".join(found["title"].split()),
        found["description"].strip(),
        tuple(criterion.strip() for criterion in found["acceptance_criteria"]),
        Priority(found["priority"]),
        int(found["estimate"]),
    )


def _shown(value: Any) -> str:
    return _cut(orjson.dumps(value).decode())


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_SHOWN else f"{text[: _LONGEST_SHOWN - 1]}…"
