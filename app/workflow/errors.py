"""What can be wrong with a project, a stage or a review."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from app.core.errors import AppError, ErrorCode

if TYPE_CHECKING:
    from app.workflow.models import Project, Review


class ProjectNotFound(AppError):
    """There is no such project in the tenant."""

    code = ErrorCode.NOT_FOUND

    def __init__(self, field: str = "projectId") -> None:
        super().__init__("there is no such project", field=field, hint="read the projects again: it may be deleted")


class StageNotFound(AppError):
    """There is no such attempt at a stage in the project."""

    code = ErrorCode.NOT_FOUND

    def __init__(self, field: str = "upstreamId") -> None:
        super().__init__(
            "the project has no such stage", field=field, hint="read the project's stages again: it may be of another"
        )


class GeneratedPromptNotFound(AppError):
    """There is no such attempt at a prompt in the tenant, or in the project where that is named."""

    code = ErrorCode.NOT_FOUND

    def __init__(self, field: str) -> None:
        super().__init__(
            "there is no such generated prompt", field=field, hint="read the project's stages again: it may be deleted"
        )


class StoryNotFound(AppError):
    """The list of stories has no story of that index."""

    code = ErrorCode.NOT_FOUND

    def __init__(self, stories: int) -> None:
        super().__init__(
            f"the list has {stories} stories, which are counted from 0",
            field="storyIndex",
            hint="read the stories of the story generation, or leave it out for all of them",
        )


class ReviewNotFound(AppError):
    """There is no such review in the tenant."""

    code = ErrorCode.NOT_FOUND

    def __init__(self) -> None:
        super().__init__("there is no such review", field="reviewId", hint="read the pending reviews again")


class ProjectChanged(AppError):
    """Somebody has changed the project since it was read."""

    code = ErrorCode.VERSION_CONFLICT

    def __init__(self, expected: int, current: "Project") -> None:
        super().__init__(
            f"the project is at version {current.version}, not at {expected}",
            field="expectedVersion",
            hint="read the project again, and change that",
            details={"currentVersion": current.version},
        )
        self.current = current


class NotPossibleNow(AppError):
    """The stage is not where it would have to be; the message says what is missing."""

    code = ErrorCode.INVALID_TRANSITION

    def __init__(self, message: str, field: str, hint: str, details: Mapping[str, object] | None = None) -> None:
        super().__init__(message, field=field, hint=hint, details=details)


class AlreadyDecided(AppError):
    """Another reviewer was faster, or the review was decided before."""

    code = ErrorCode.ALREADY_DECIDED

    def __init__(self, current: "Review") -> None:
        super().__init__(
            f"the review is {current.status} already, by {current.decided_by}"
            if current.decided_by
            else "the review is not decided yet",
            field="expectedStatus",
            hint="read the review again; to change a decision, send its status as expectedStatus",
            details={
                "status": current.status.upper(),
                "decidedBy": current.decided_by,
                "decidedAt": current.decided_at.isoformat() if current.decided_at else None,
            },
        )
        self.current = current


class NotForYou(AppError):
    """The actor may read the project, and do no more."""

    code = ErrorCode.FORBIDDEN

    def __init__(self, role: str, what: str) -> None:
        super().__init__(f"{what} takes the role {role}", hint="ask an administrator of the tenant for it")


class MaterialTooLong(AppError):
    """What a stage is built on is more than a message to a model carries."""

    code = ErrorCode.LIMIT_EXCEEDED

    def __init__(self, at_most: int) -> None:
        super().__init__(
            f"what the stage is built on is longer than {at_most:,} bytes in all",
            field="projectId",
            hint="shorten the description, or have a shorter attempt at the stage before approved",
        )


class UselessAnswer(AppError):
    """A model's answer is not what it was asked for, also after it was told what is wrong with it."""

    code = ErrorCode.PROVIDER_ERROR
    retryable = True

    def __init__(self, problems: list[str]) -> None:
        super().__init__(
            f"the model's answer cannot be used: {'; '.join(problems[:3])}"[:1_000],
            hint="generate the stage again, or choose another model",
            details={"problems": [problem[:500] for problem in problems[:20]]},
        )


class GenerationCancelled(AppError):
    """Somebody cancelled the run, or deleted its conversation."""

    code = ErrorCode.INTERRUPTED
    retryable = True

    def __init__(self, message: str) -> None:
        super().__init__(message, hint="generate the stage again")
