"""Ids, words and bounds of prompts."""

import re
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, NewType
from uuid import UUID

import orjson

from app.core.errors import ValidationError
from app.core.paging import MOST_PER_PAGE
from app.core.text import require_count, require_json_size, require_length, require_range

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
LARGEST_VARIABLES_BYTES = 64 * 1024
"""Of the JSON of all variables of one template."""
MOST_LABELS = 50
"""Of one template: they are listed whole."""
HIGHEST_VERSION = 2**31 - 1
HIGHEST_PAGE = 2**31 - 1

_WILD = re.compile(r"[%_\\]")
_ESCAPED = r"\\\g<0>"
_LABEL = re.compile(r"[a-z0-9][a-z0-9._-]*")


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


class Stage(StrEnum):
    """The steps of the workflow, in their order, which a template may be made for."""

    REQUIREMENTS_ANALYSIS = "requirements_analysis"
    PROJECT_PLANNING = "project_planning"
    STORY_GENERATION = "story_generation"
    PROMPT_GENERATION = "prompt_generation"


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
    """Where a template belongs: names are unique in one, and of those for one use at most one is enabled (C15).

    None is a place of its own: what belongs to no project, of no organization. Both are names of the application (C16).
    """

    project_id: str | None = None
    organization_id: str | None = None

    def check(self) -> None:
        """Raise ValidationError for what cannot be stored."""
        for name, value in (("projectId", self.project_id), ("organizationId", self.organization_id)):
            if value is not None:
                require_length(value, name, at_least=1, at_most=LONGEST_NAME)


@dataclass(frozen=True, slots=True)
class Slot:
    """What at most one template is enabled for: a stage of the workflow in a place, or what is of no stage there."""

    place: Place = field(default_factory=Place)
    stage: Stage | None = None


@dataclass(frozen=True, slots=True)
class Text:
    """What a version of a template keeps for ever."""

    name: str
    content: str
    type: PromptType = PromptType.CUSTOM
    description: str | None = None
    variables: tuple[Variable, ...] = ()

    def says_the_same(self, other: "Text") -> bool:
        """Whether both would be stored as the same. To Python, the defaults 1, 1.0 and true are equal."""
        texts = (self.name, self.content, self.type, self.description)
        return texts == (other.name, other.content, other.type, other.description) and (
            _canonical(self.variables) == _canonical(other.variables)
        )

    def check(self) -> None:
        """Raise ValidationError for what cannot be stored."""
        require_length(self.name, "name", at_least=1, at_most=LONGEST_NAME)
        require_length(self.content, "content", at_least=1, at_most=LONGEST_CONTENT)
        if self.description is not None:
            require_length(self.description, "description", at_most=LONGEST_DESCRIPTION)
        require_count(len(self.variables), "variables", at_most=MOST_VARIABLES)
        declared = [variable.as_json() for variable in self.variables]
        require_json_size(declared, "variables", at_most=LARGEST_VARIABLES_BYTES)


def _canonical(variables: tuple[Variable, ...]) -> bytes:
    return orjson.dumps([variable.as_json() for variable in variables], option=orjson.OPT_SORT_KEYS)


_NEVER_NULL = ("name", "content", "type")


def check_changes(changes: dict[str, Any]) -> None:
    """Raise ValidationError where there are none, or what a text must have is to be cleared."""
    if not changes:
        raise ValidationError("there is nothing to change", field="input", hint="send at least one field to change")
    for name in _NEVER_NULL:
        if name in changes and changes[name] is None:
            raise ValidationError(f"{name} must not be null", field=name, hint="leave it out to keep it")


@dataclass(frozen=True, slots=True)
class NewTemplate:
    """A template that is about to be stored, with its first version."""

    id: TemplateId
    version_id: VersionId
    text: Text
    place: Place = field(default_factory=Place)
    enabled: bool = False
    replace_enabled: bool = False
    """Whether one that is enabled in its slot is disabled, where this one is to be enabled."""
    stage: Stage | None = None
    """The stage of the workflow that it is for. As its place, it never changes."""

    @property
    def slot(self) -> Slot:
        """What it may be enabled for."""
        return Slot(self.place, self.stage)

    def check(self) -> None:
        """Raise ValidationError for what cannot be stored."""
        self.text.check()
        self.place.check()


@dataclass(frozen=True, slots=True)
class PastTemplate:
    """A template of another library, with the number of its latest version and the times it had there."""

    new: NewTemplate
    version: int = 1
    created_at: datetime | None = None
    updated_at: datetime | None = None

    def check(self) -> None:
        """Raise ValidationError for what cannot be stored."""
        self.new.check()
        # Its revision is one more where it is enabled.
        require_range(self.version, "version", at_least=1, at_most=HIGHEST_VERSION - 1)


class TemplateOrder(StrEnum):
    """The order of a list of templates."""

    NAME_ASC = "NAME_ASC"
    NAME_DESC = "NAME_DESC"
    UPDATED_AT_DESC = "UPDATED_AT_DESC"
    UPDATED_AT_ASC = "UPDATED_AT_ASC"
    CREATED_AT_DESC = "CREATED_AT_DESC"
    CREATED_AT_ASC = "CREATED_AT_ASC"


@dataclass(frozen=True, slots=True)
class TemplateFilter:
    """Which templates of the tenant: every condition that is not None must hold."""

    project_id: str | None = None
    organization_id: str | None = None
    enabled: bool | None = None
    type: PromptType | None = None
    text: str | None = None
    """What the name has in it, in small or capital letters."""
    label: str | None = None
    stage: Stage | None = None

    def given(self) -> dict[str, object]:
        """The conditions there are; `text` as a pattern."""
        conditions: dict[str, object] = {
            "project_id": self.project_id, "organization_id": self.organization_id, "enabled": self.enabled,
            "type": None if self.type is None else self.type.value,
            "text": None if self.text is None else f"%{_WILD.sub(_ESCAPED, self.text)}%", "label": self.label,
            "stage": None if self.stage is None else self.stage.value,
        }  # fmt: skip
        return {name: value for name, value in conditions.items() if value is not None}


@dataclass(frozen=True, slots=True)
class NumberedPage:
    """Which page of a list that is counted in pages (S4-3)."""

    wanted: TemplateFilter
    page: int
    """From 1."""
    limit: int

    def check(self) -> None:
        """Raise ValidationError for a page that there cannot be."""
        require_range(self.page, "page", at_least=1, at_most=HIGHEST_PAGE)
        require_range(self.limit, "limit", at_least=1, at_most=MOST_PER_PAGE)


@dataclass(frozen=True, slots=True)
class LabelMove:
    """A label that is set to a version, moved to another, or removed."""

    template_id: TemplateId
    label: str
    version: int | None
    """Where it is to point; None removes it."""
    expected_version: int | None = None
    """Where it points now, 0 where it is to be new; None moves it from wherever it is."""

    def check(self) -> None:
        """Raise ValidationError for what cannot be stored."""
        require_length(self.label, "label", at_least=1, at_most=LONGEST_LABEL)
        if not _LABEL.fullmatch(self.label):
            raise ValidationError(
                "label has characters that a label cannot have",
                field="label",
                hint="use small letters a-z, digits, and . _ - behind the first",
            )
        require_range(self.version, "version", at_least=1, at_most=HIGHEST_VERSION)
        require_range(self.expected_version, "expectedVersion", at_least=0, at_most=HIGHEST_VERSION)


@dataclass(frozen=True, slots=True)
class Unchanged:
    """A warning: all is as it was, for it was so already."""

    code: str = "UNCHANGED"
    message: str = "this is how it was already: nothing was changed, and no version was added"


@dataclass(frozen=True, slots=True)
class Unused:
    """A warning: these variables are declared and stand nowhere in the content."""

    names: tuple[str, ...]
    code: str = "UNUSED_VARIABLES"

    @property
    def message(self) -> str:
        """Fit to be shown."""
        return f"the content does not use what variables declares: {', '.join(self.names)}"


@dataclass(frozen=True, slots=True)
class Choice:
    """Which version of which template is meant: exactly one of the first three names the template.

    Of the template the version with the `label` or the number `version`, else the latest.
    """

    template_id: TemplateId | None = None
    name: str | None = None
    """The name in `place`."""
    enabled: bool = False
    """The one that is enabled in `place`, for `stage`."""
    place: Place = field(default_factory=Place)
    label: str | None = None
    version: int | None = None
    stage: Stage | None = None
    """Of `enabled` alone; None for the one that is for no stage."""

    def check(self) -> None:
        """Raise ValidationError where it does not say which version is meant."""
        if [self.template_id is not None, self.name is not None, self.enabled].count(True) != 1:
            raise ValidationError(
                "name the prompt template in one way",
                field="templateId",
                hint="send templateId, or name, or enabled: true",
            )
        if self.stage is not None and not self.enabled:
            raise ValidationError(
                "stage is of the template that is enabled", field="stage", hint="leave it out, or send enabled: true"
            )
        if self.label is not None and self.version is not None:
            raise ValidationError("label and version exclude each other", field="label", hint="send one of them")
        require_range(self.version, "version", at_least=1, at_most=HIGHEST_VERSION)
