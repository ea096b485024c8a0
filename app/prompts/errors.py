"""What can be wrong with a prompt."""

from collections.abc import Sequence

from app.core.errors import AppError, ErrorCode
from app.core.ids import global_id
from app.prompts.values import TemplateId


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
    """Somebody else saved this template first (S4-21)."""

    code = ErrorCode.VERSION_CONFLICT

    def __init__(self, template_id: TemplateId, expected: int, found: int) -> None:
        super().__init__(
            f"the prompt template is at version {found}, not {expected}: somebody saved it meanwhile",
            field="expectedVersion",
            hint="look at what they saved, which comes with this answer, and save yours upon it",
            details={"id": global_id("PromptTemplate", template_id), "expected": expected, "found": found},
        )


class EnabledConflict(AppError):
    """Another template of the place is enabled, and was not to be replaced (S4-9)."""

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
