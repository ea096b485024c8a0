"""What seeded projects are about, and what models made of it: the same all through a project."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from app.workflow.values import NewStory, Priority

_FILE = Path(__file__).with_name("subjects.json")


@dataclass(frozen=True, slots=True)
class Subject:
    """One project in all its stages."""

    name: str
    description: str
    users: dict[str, str]
    """What each role wants."""
    requirements: tuple[str, ...]
    qualities: tuple[str, ...]
    constraints: tuple[str, ...]
    questions: tuple[str, ...]
    parts: dict[str, str]
    """What each part of the system is there for."""
    milestones: tuple[str, ...]
    risks: tuple[str, ...]
    stories: tuple[NewStory, ...]


@cache
def _templates() -> tuple[dict[str, Any], ...]:
    return tuple(json.loads(_FILE.read_text("utf-8")))


def subject_of(chance: Random) -> Subject:
    """One of the subjects, of somebody."""
    template = chance.choice(_templates())
    slots = {name: chance.choice(values) for name, values in template["slots"].items()}
    filled = {name: _filled(value, slots) for name, value in template.items() if name not in ("slots", "stories")}
    # One may begin with whose project it is.
    filled["description"] = filled["description"][:1].upper() + filled["description"][1:]
    return Subject(stories=tuple(_story(_filled(story, slots)) for story in template["stories"]), **filled)


def _filled(value: Any, slots: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {name: _filled(member, slots) for name, member in value.items()}
    if isinstance(value, list):
        return tuple(_filled(member, slots) for member in value)
    if not isinstance(value, str):
        return value
    return value.format_map(slots)


def _story(told: dict[str, Any]) -> NewStory:
    description = f"As a {told['role']}, I want to {told['want']}, so that {told['why']}."
    return NewStory(told["title"], description, told["criteria"], Priority(told["priority"]), told["estimate"])


def requirements_of(subject: Subject) -> str:
    """A requirements analysis in Markdown."""
    return _sections(
        ("Summary", [subject.description.partition("\n\n")[2] or subject.description]),
        ("Stakeholders and users", _listed(f"**{role}**: {want}." for role, want in subject.users.items())),
        ("Functional requirements", _numbered("FR", subject.requirements)),
        ("Non-functional requirements", _numbered("NFR", subject.qualities)),
        ("Constraints", _listed(subject.constraints)),
        ("Open questions", _listed(subject.questions)),
    )


def plan_of(subject: Subject, revised: bool = False) -> str:
    """A project plan in Markdown; `revised`: after a reviewer wanted more."""
    sizes = ("small", "middle", "large")
    milestones = [
        f"{step} {f'Size: {sizes[min(place, 2)]}.' if revised else ''}".rstrip()
        for place, step in enumerate(subject.milestones)
    ]
    return _sections(
        ("Goals", _listed(subject.requirements[:2])),
        ("Architecture", _listed(f"**{part}**: {what}." for part, what in subject.parts.items())),
        ("Milestones", [f"{number}. {step}" for number, step in enumerate(milestones, 1)]),
        ("Risks", _listed(subject.risks)),
        ("Open questions", _listed(subject.questions)),
    )  # fmt: skip


def prompt_of(subject: Subject, story: NewStory, revised: bool = False) -> str:
    """A prompt for the assistant that builds a story, in Markdown."""
    tests = "Write a test for each criterion, and one for what happens when the connection is lost."
    return _sections(
        ("Task", [f"Build this part of “{subject.name}”: {story.title.lower()}. {story.description}"]),
        ("Context", _listed(f"**{part}**: {what}." for part, what in subject.parts.items())),
        ("Acceptance criteria", [*_listed(story.acceptance_criteria), *(["", tests] if revised else [])]),
        ("Constraints", _listed([*subject.qualities, *subject.constraints])),
    )


def _sections(*sections: tuple[str, Sequence[str]]) -> str:
    return "\n\n".join(f"## {heading}\n\n" + "\n".join(lines) for heading, lines in sections) + "\n"


def _listed(lines: Sequence[str] | Iterator[str]) -> list[str]:
    return [f"- {line}" for line in lines]


def _numbered(prefix: str, lines: Sequence[str]) -> list[str]:
    return [f"- **{prefix}-{number}** {line}" for number, line in enumerate(lines, 1)]
