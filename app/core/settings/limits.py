"""Settings of what is refused before it costs anything: documents, their cost, rates and times."""

from pathlib import Path
from typing import Annotated

from pydantic import Field, field_validator, model_validator

from app.core.settings.kinds import Group, Seconds

Count = Annotated[int, Field(ge=1, le=1_000_000_000)]


class LimitSettings(Group):
    """Limits of operations."""

    max_document_characters: Count = Field(100_000, description="Longest GraphQL document, in characters.")
    max_document_tokens: Count = Field(
        2_500,
        description="Most tokens of a document: names, values, braces. A thousand take about 20 ms to check, once.",
    )
    max_document_depth: Annotated[int, Field(ge=1, le=100)] = Field(20, description="Most fields inside each other.")
    max_document_aliases: Count = Field(500, description="Most aliases of a document, its fragments written out.")
    max_document_directives: Count = Field(200, description="Most directives of a document, its fragments written out.")
    max_root_fields: Count = Field(50, description="Most fields at the top of an operation.")
    max_document_fields: Count = Field(5_000, description="Most fields of an operation, its fragments written out.")
    max_introspection_depth: Count = Field(
        15, description="Most fields inside each other below `__schema` and `__type`."
    )
    # Lists inside of lists multiply: who wants no such limit needs a high one.
    max_cost: Annotated[int, Field(ge=1, le=10**15)] = Field(
        100_000, description="Most objects that an operation may ask for, by [its cost](limits.md#cost)."
    )
    rate_points_per_minute: Annotated[int, Field(ge=0, le=1_000_000_000)] = Field(
        0, description="What a user may spend in a minute, in points of cost, per process; 0 is no limit."
    )
    rate_burst_points: Annotated[int, Field(ge=0, le=1_000_000_000)] = Field(
        0, description="What a user who was idle may spend at once; 0 is a minute's points."
    )
    failed_logins_per_minute: Annotated[int, Field(ge=0, le=1_000_000)] = Field(
        60, description="After so many failed authentications in a minute from one address, it is not listened to for "
        "a while, per process; 0 is no limit."
    )  # fmt: skip
    operation_timeout_seconds: Seconds = Field(
        90.0, description="A query or mutation that takes longer is cancelled, with its statements. More than "
        "COLLOQUY_EXECUTE_WAIT_SECONDS."
    )  # fmt: skip
    trusted_documents: Path | None = Field(
        None, description="JSON file with the only documents that are executed: "
        "[a manifest](limits.md#trusted-documents) of persisted operations."
    )  # fmt: skip

    @field_validator("trusted_documents")
    @classmethod
    def _readable_manifest(cls, value: Path | None) -> Path | None:
        if value is not None and not value.is_file():
            raise ValueError(f"there is no file {value}")
        return value

    @model_validator(mode="after")
    def _every_operation_can_be_paid(self) -> "LimitSettings":
        if self.rate_points_per_minute > 0 and self.rate_capacity < self.max_cost:
            raise ValueError(
                f"COLLOQUY_RATE_BURST_POINTS={self.rate_capacity} would never let an operation through that costs "
                f"COLLOQUY_MAX_COST={self.max_cost}: raise the one or lower the other"
            )
        return self

    @property
    def rate_capacity(self) -> int:
        """What an idle user has to spend."""
        return self.rate_burst_points or self.rate_points_per_minute
