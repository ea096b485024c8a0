"""Ids, words and bounds of prompts."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NewType
from uuid import UUID

TemplateId = NewType("TemplateId", UUID)
VersionId = NewType("VersionId", UUID)

LONGEST_NAME = 255
"""Characters of a name, a project's id and an organization's id (S4-1, S4-7)."""
LONGEST_DESCRIPTION = 4_000
LONGEST_CONTENT = 10_000
"""Characters of a template (S4-7)."""
LONGEST_LABEL = 64
MOST_VARIABLES = 50
"""Of one template: ten thousand characters with more of them than that are a form, not a prompt."""
MOST_LABELS = 50
"""Of one template."""


class PromptType(StrEnum):
    """What a prompt is for (S4-8); stored and imported as these words."""

    QUESTION_ANSWERING = "question-answering"
    SUMMARIZATION = "summarization"
    ENTITY_EXTRACTION = "entity-extraction"
    TEXT_GENERATION = "text-generation"
    TRANSLATION = "translation"
    CLASSIFICATION = "classification"
    CUSTOM = "custom"


class VariableType(StrEnum):
    """What a variable's value must be."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    JSON = "json"
    """Anything that JSON can say; it is rendered as JSON."""


class ChangeKind(StrEnum):
    """What a line of a template's history says."""

    CREATED = "created"
    UPDATED = "updated"
    """A version was added."""
    ENABLED = "enabled"
    DISABLED = "disabled"
    LABELLED = "labelled"
    """A label was set, or moved from another version."""
    UNLABELLED = "unlabelled"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable that a template declares."""

    name: str
    type: VariableType = VariableType.TEXT
    description: str | None = None
    required: bool = True
    """Whether a value must be given; one with a default is never required."""
    default: Any = None

    def as_json(self) -> dict[str, Any]:
        """As it is stored with a version."""
        return {
            "name": self.name, "type": self.type.value, "description": self.description, "required": self.required,
            "default": self.default,
        }  # fmt: skip

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> "Variable":
        """The inverse of `as_json`."""
        return cls(
            stored["name"], VariableType(stored["type"]), stored["description"], stored["required"], stored["default"]
        )


@dataclass(frozen=True, slots=True)
class Place:
    """Where a template belongs: names are unique in one, and at most one template of one is enabled (C15).

    None is a place of its own: what belongs to no project, of no organization. Both are names of the application (C16).
    """

    project_id: str | None = None
    organization_id: str | None = None


@dataclass(frozen=True, slots=True)
class Text:
    """What a version of a template keeps for ever."""

    name: str
    content: str
    type: PromptType = PromptType.CUSTOM
    description: str | None = None
    variables: tuple[Variable, ...] = ()


@dataclass(frozen=True, slots=True)
class NewTemplate:
    """A template that is about to be stored, with its first version."""

    id: TemplateId
    version_id: VersionId
    text: Text
    place: Place = field(default_factory=Place)
    enabled: bool = False


@dataclass(frozen=True, slots=True)
class Choice:
    """Which version of which template is meant: exactly one of the first three names the template.

    Of the template the version with the `label` or the number `version`, else the latest.
    """

    template_id: TemplateId | None = None
    name: str | None = None
    """The name in `place`."""
    enabled: bool = False
    """The one that is enabled in `place`."""
    place: Place = field(default_factory=Place)
    label: str | None = None
    version: int | None = None
