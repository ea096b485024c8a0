"""What the columns of a file say of a template."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import UUID

import orjson

from app.core.errors import ValidationError
from app.core.ids import new_id
from app.exchange.library.files import Unread
from app.exchange.library.values import ReadTemplate
from app.prompts import taking_over
from app.prompts.values import (
    NewTemplate,
    PastTemplate,
    Place,
    PromptType,
    Stage,
    TemplateId,
    Text,
    Variable,
    VariableType,
    VersionId,
)

T = TypeVar("T")

_OTHER_NAMES = {
    "projectId": "project_id", "organizationId": "organization_id", "createdAt": "created_at",
    "updatedAt": "updated_at",
}  # fmt: skip
COLUMNS = frozenset(
    {"id", "name", "description", "content", "type", "variables", "stage", "enabled", "version", *_OTHER_NAMES.values()}
)
_PURPOSES = {word.value: word for word in PromptType}
_STAGES = {word.value: word for word in Stage}
_KINDS = {word.value: word for word in VariableType}
_TRUE, _FALSE = frozenset({"true", "t", "1", "yes"}), frozenset({"false", "f", "0", "no"})


def read_template(unread: Unread) -> tuple[ReadTemplate, set[str]]:
    """A template, checked; and the columns that there is no place for. ValidationError says why it cannot be taken."""
    row = {_OTHER_NAMES.get(name, name): value for name, value in unread.read().items()}
    cells = _Cells(row, unread.is_csv)
    text = Text(
        cells.required("name", _text),
        cells.required("content", _text),
        cells.optional("type", _type) or PromptType.CUSTOM,
        cells.optional("description", _text),
    )
    declared = cells.optional("variables", _variables)
    if declared is None:
        text = taking_over.with_its_variables(text)
    else:
        text = Text(text.name, text.content, text.type, text.description, declared)
    new = NewTemplate(
        TemplateId(cells.required("id", _uuid)),
        VersionId(new_id()),
        text,
        Place(cells.optional("project_id", _text), cells.optional("organization_id", _text)),
        cells.optional("enabled", _boolean) or False,
        stage=cells.optional("stage", _stage),
    )
    created, updated = cells.optional("created_at", _moment), cells.optional("updated_at", _moment)
    version = cells.optional("version", _whole_number)
    past = PastTemplate(new, 1 if version is None else version, created or updated, updated or created)
    taking_over.check(past)
    return ReadTemplate(unread.number, past, declared is not None, "stage" in row), set(row) - COLUMNS


@dataclass(frozen=True, slots=True)
class _Cells:
    row: dict[str, Any]
    is_csv: bool

    def optional(self, name: str, kind: Callable[[Any], T]) -> T | None:
        """The value of a column; None where there is none."""
        value = self.row.get(name)
        return None if value is None or (self.is_csv and value == "") else self._as(name, value, kind)

    def required(self, name: str, kind: Callable[[Any], T]) -> T:
        """The value of a column that has one."""
        if self.row.get(name) is None:
            raise ValidationError(f"{name} is missing")
        return self._as(name, self.row[name], kind)

    def _as(self, name: str, value: Any, kind: Callable[[Any], T]) -> T:
        try:
            return kind(value)
        except (ValueError, OverflowError) as wrong:
            raise ValidationError(f"{name} {wrong}") from None


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("is no text")  # noqa: TRY004 - told as any other wrong value
    return value


def _uuid(value: Any) -> UUID:
    try:
        found = UUID(_text(value))
    except ValueError:
        raise ValueError("is no UUID") from None
    if found == UUID(int=0):
        raise ValueError("is the UUID of nothing")
    return found


def _type(value: Any) -> PromptType:
    word = _text(value).lower().replace("_", "-")
    if word not in _PURPOSES:
        raise ValueError(f"is none of {', '.join(_PURPOSES)}")
    return _PURPOSES[word]


def _stage(value: Any) -> Stage:
    word = _text(value).lower()
    if word not in _STAGES:
        raise ValueError(f"is none of {', '.join(_STAGES)}")
    return _STAGES[word]


def _boolean(value: Any) -> bool:
    word = str(value).lower()
    if word not in _TRUE | _FALSE:
        raise ValueError("is neither true nor false")
    return word in _TRUE


def _whole_number(value: Any) -> int:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20:
        return int(value)
    if type(value) is not int:
        raise ValueError("is no whole number")
    return value


def _moment(value: Any) -> datetime:
    try:
        found = datetime.fromisoformat(_text(value))
    except ValueError:
        raise ValueError("is no time in ISO 8601") from None
    # As PostgreSQL writes times that have no zone: they are those of the server, which has UTC.
    return (found if found.tzinfo is not None else found.replace(tzinfo=UTC)).astimezone(UTC)


def _variables(value: Any) -> tuple[Variable, ...]:
    found = orjson.loads(value) if isinstance(value, str) else value
    if not isinstance(found, list):
        raise ValueError("is no list of variables")  # noqa: TRY004 - told as any other wrong value
    return tuple(_variable(one) for one in found)


def _variable(one: Any) -> Variable:
    if not isinstance(one, dict) or not isinstance(one.get("name"), str):
        raise ValueError("has a member without a name")  # noqa: TRY004 - told as any other wrong value
    description, required, word = one.get("description"), one.get("required", True), one.get("type") or "text"
    if not isinstance(description, str | None) or not isinstance(required, bool) or not isinstance(word, str):
        raise ValueError(f"has a variable {one['name'][:64]} whose type, description or required is wrong")  # noqa: TRY004
    if word.lower() not in _KINDS:
        raise ValueError(f"has a variable {one['name'][:64]} of a type that is none of {', '.join(_KINDS)}")
    return Variable(one["name"], _KINDS[word.lower()], description, required, one.get("default"))
