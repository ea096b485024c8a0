"""Settings of what is done in the background, and of how long things are kept."""

from pathlib import Path
from typing import Annotated

from pydantic import Field, field_validator

from app.core.settings.kinds import Group


class WorkSettings(Group):
    """What is done in the background, and how long things are kept."""

    job_lease_seconds: Annotated[float, Field(ge=1, le=86_400, allow_inf_nan=False)] = Field(
        6.0, description="After this long without a sign of life, the jobs of a process are run by others. From 1, and "
        "the same for all processes."
    )  # fmt: skip
    runs_per_process: Annotated[int, Field(ge=2, le=100_000)] = Field(
        500, description="Most jobs one process runs at once."
    )
    compact_after_seconds: Annotated[float, Field(ge=0, le=31_536_000)] = Field(
        3_600.0, description="The pieces of an answer are given up this long after its end; its message keeps the text."
    )
    abandon_after_seconds: Annotated[float, Field(ge=60, le=31_536_000)] = Field(
        86_400.0, description="A message that an application began, and of which nothing came for so long, has FAILED."
    )
    approval_expires_seconds: Annotated[float, Field(ge=1, le=31_536_000)] = Field(
        604_800.0, description="A tool's execution that awaits a person's approval for so long is cancelled."
    )
    execute_wait_seconds: Annotated[float, Field(ge=0.1, le=3_600, allow_inf_nan=False)] = Field(
        60.0,
        description="How long `executePrompt` with `wait: true` waits for the answer before it says that it goes on.",
    )
    workflow_parallel: Annotated[int, Field(ge=1, le=100)] = Field(
        4, description="How many stages of one project are generated at a time; the others wait for their turn."
    )
    intent_catalogue: Path | None = Field(
        None, description="JSON file that replaces the built-in catalogue of intents."
    )

    @field_validator("intent_catalogue")
    @classmethod
    def _readable_file(cls, value: Path | None) -> Path | None:
        if value is not None and not value.is_file():
            raise ValueError(f"there is no file {value}")
        return value
