"""What people talk about: templates of questions and answers, in several languages."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

_FILE = Path(__file__).with_name("topics.json")

Slots = dict[str, str]
"""What stands in the places of a template: the same all through a session."""


@dataclass(frozen=True, slots=True)
class ToolTemplate:
    """A tool that an agent calls about a topic."""

    name: str
    arguments: dict[str, Any]
    results: tuple[str, ...]

    def arguments_with(self, slots: Slots) -> str:
        """As a model writes them."""
        arguments = self.arguments.items()
        filled = {name: value.format_map(slots) if isinstance(value, str) else value for name, value in arguments}
        return json.dumps(filled, ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class FileTemplate:
    """A file that people attach to a question."""

    name: str
    content: str


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic in one language."""

    name: str
    weight: float
    language: str
    titles: tuple[str, ...]
    description: str
    summary: str
    tags: tuple[str, ...]
    slots: dict[str, tuple[str, ...]]
    questions: tuple[str, ...]
    paragraphs: tuple[str, ...]
    tools: tuple[ToolTemplate, ...]
    files: tuple[FileTemplate, ...]

    def fill(self, chance: Random) -> Slots:
        """What a session of this topic is about."""
        return {name: chance.choice(values) for name, values in self.slots.items()}


@cache
def topics() -> tuple[Topic, ...]:
    """All of them."""
    return tuple(_topic(entry) for entry in json.loads(_FILE.read_text("utf-8")))


def _topic(entry: dict[str, Any]) -> Topic:
    known: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in entry.items()}
    known["slots"] = {name: tuple(values) for name, values in entry["slots"].items()}
    known["tools"] = tuple(
        ToolTemplate(tool["name"], tool["arguments"], tuple(tool["results"])) for tool in entry["tools"]
    )
    known["files"] = tuple(FileTemplate(**file) for file in entry["files"])
    return Topic(**known)
