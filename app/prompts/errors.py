"""What can be wrong with a prompt."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from app.core.errors import AppError, ErrorCode
from app.core.ids import global_id
from app.prompts.values import MOST_LABELS, LabelMove, TemplateId

if TYPE_CHECKING:
    from app.prompts.models import PromptTemplate


class NotAnEditor(AppError):
    """What the tenant shares is changed by its editors alone."""

    code = ErrorCode.FORBIDDEN

    def __init__(self) -> None:
        super().__init__("only an editor may change prompt templates", hint="ask an editor of your organisation")


class TemplateNotFound(AppError):
    """There is no such template in the tenant."""

    code = ErrorCode.NOT_FOUND

    def __init__(self, field: str = "templateId", what: str = "there is no such prompt template") -> None:
        super().__init__(what, field=field, hint="read the prompt templates again")


class VersionNotFound(AppError):
    """The template has no version of that number or label."""

    code = ErrorCode.NOT_FOUND

    def __init__(self, field: str, what: str) -> None:
        super().__init__(what, field=field, hint="read the template's versions and labels again")


class NameTaken(AppError):
    """Another template of the place has that name (S4-16)."""

    code = ErrorCode.ALREADY_EXISTS

    def __init__(self) -> None:
        super().__init__(
            "another prompt template of the project has this name",
            field="name",
            hint="choose another name, or update that template",
        )


class VersionConflict(AppError):
    """Somebody else saved this template first (S4-21): whoever saves upon what they saved loses nothing."""

    code = ErrorCode.VERSION_CONFLICT

    def __init__(self, expected: int, found: "PromptTemplate") -> None:
        super().__init__(
            f"the prompt template is at version {found.version}, not {expected}",
            field="expectedVersion",
            hint=f"look at what is there, which comes with this answer, and send expectedVersion: {found.version}",
            details={"id": found.global_id, "expected": expected, "found": found.version},
        )
        self.template = found


class LabelConflict(AppError):
    """Somebody else moved the label first."""

    code = ErrorCode.VERSION_CONFLICT

    def __init__(self, move: LabelMove, points_to: int | None, template: "PromptTemplate") -> None:
        super().__init__(
            "the template has no such label" if points_to is None else f"the label is at version {points_to}",
            field="expectedVersion",
            hint=f"look at the labels, and send expectedVersion: {points_to or 0}",
            details={"label": move.label, "expected": move.expected_version, "found": points_to or 0},
        )
        self.template = template


class TooManyLabels(AppError):
    """The template has as many labels as it may have."""

    code = ErrorCode.LIMIT_EXCEEDED

    def __init__(self) -> None:
        super().__init__(
            f"a prompt template has at most {MOST_LABELS} labels", field="label", hint="remove one that is not used"
        )


class EnabledConflict(AppError):
    """Another template is enabled in the slot, and was not to be replaced (S4-9)."""

    code = ErrorCode.ENABLED_PROMPT_CONFLICT

    def __init__(self, enabled: TemplateId | None) -> None:
        super().__init__(
            "another prompt template of the project is enabled",
            field="replaceEnabled",
            hint="disable that one first, or pass replaceEnabled: true",
            details={"enabledId": global_id("PromptTemplate", enabled)} if enabled else None,
        )


class TemplateInUse(AppError):
    """Answers that need the template are not finished."""

    code = ErrorCode.RUN_ACTIVE

    def __init__(self, run_ids: Sequence[str]) -> None:
        super().__init__(
            "answers to this prompt template are not finished",
            field="templateId",
            hint="wait for them, or cancel them, and delete it then",
            details={"runIds": list(run_ids)},
        )
