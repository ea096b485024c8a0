"""The tables of prompts."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    DateTime,
    ForeignKeyConstraint,
    Index,
    Integer,
    String,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, Json, bounded, bounded_json
from app.prompts.values import Variable

_TYPES = (
    "type in ('question-answering', 'summarization', 'entity-extraction', 'text-generation', 'translation', "
    "'classification', 'custom')"
)
_STAGES = "stage in ('requirements_analysis', 'project_planning', 'story_generation', 'prompt_generation')"
_THERE = text("deleted_at is null")


class PromptTemplate(Base):
    """One prompt of the tenant's library, as it is now: its latest version, with what holds for all versions.

    `version` is the number of the latest version and what writers of its text meet at; `revision` counts every change
    of the row, and numbers the history. Deleted ones stay, for the executions that name their versions.
    """

    __tablename__ = "prompt_templates"
    __table_args__ = (
        Index(
            "uq_prompt_templates_name", "tenant_id", "organization_id", "project_id", "name", unique=True,
            postgresql_where=_THERE, postgresql_nulls_not_distinct=True,
        ),
        # At most one is enabled per project (S4-9), also where there is no project (C15); and one for each stage of it.
        Index(
            "uq_prompt_templates_enabled", "tenant_id", "organization_id", "project_id", "stage", unique=True,
            postgresql_where=text("enabled"), postgresql_nulls_not_distinct=True,
        ),
        Index(None, "tenant_id", "name", "id"),
        Index(None, "tenant_id", "project_id", "enabled"),
        Index(None, "tenant_id", "organization_id"),
        Index(None, "tenant_id", "type"),
        Index(None, "tenant_id", "enabled"),
        Index(None, "tenant_id", "created_at", "id"),
        Index(None, "tenant_id", "updated_at", "id"),
        CheckConstraint("char_length(name) between 1 and 255", name="name_length"),
        CheckConstraint("char_length(content) between 1 and 10000", name="content_length"),
        *bounded(description=4_000),
        CheckConstraint(_TYPES, name="type"),
        CheckConstraint(_STAGES, name="stage"),
        CheckConstraint("version >= 1 and revision >= version", name="version"),
        CheckConstraint("not enabled or deleted_at is null", name="enabled"),
        *bounded_json("variables", at_most=1024 * 1024),
    )  # fmt: skip
    node_type = "PromptTemplate"

    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(255))
    description: Mapped[str | None]
    content: Mapped[str]
    type: Mapped[str] = mapped_column(String(50))
    variables: Mapped[list[Json]] = mapped_column(server_default=text("'[]'::jsonb"))
    project_id: Mapped[str | None] = mapped_column(String(255))
    organization_id: Mapped[str | None] = mapped_column(String(255))
    stage: Mapped[str | None]
    """The stage of the workflow that it is for; None for any other use."""
    enabled: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    version: Mapped[int] = mapped_column(Integer, server_default=text("1"))
    revision: Mapped[int] = mapped_column(Integer, server_default=text("1"))
    created_by: Mapped[str]
    updated_by: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())
    """Set by a trigger on every update (S4-11)."""
    deleted_at: Mapped[datetime | None]

    @property
    def declared(self) -> tuple[Variable, ...]:
        """The variables of its latest version."""
        return tuple(Variable.from_json(stored) for stored in self.variables)


class PromptTemplateVersion(Base):
    """What a template said at one time. Never changed and never deleted: a trigger refuses both.

    Who saved it is told by the template's history, from which people can be erased.
    """

    __tablename__ = "prompt_template_versions"
    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "template_id"], ["prompt_templates.tenant_id", "prompt_templates.id"], ondelete="RESTRICT"
        ),
        UniqueConstraint("tenant_id", "template_id", "version", name="uq_prompt_template_versions_number"),
        CheckConstraint("char_length(name) between 1 and 255", name="name_length"),
        CheckConstraint("char_length(content) between 1 and 10000", name="content_length"),
        *bounded(description=4_000),
        CheckConstraint(_TYPES, name="type"),
        CheckConstraint("version >= 1", name="version"),
        *bounded_json("variables", at_most=1024 * 1024),
    )
    node_type = "PromptTemplateVersion"

    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    template_id: Mapped[UUID]
    version: Mapped[int] = mapped_column(Integer)
    """1, 2, 3 … of its template; an imported template may begin later."""
    name: Mapped[str] = mapped_column(String(255))
    description: Mapped[str | None]
    content: Mapped[str]
    type: Mapped[str] = mapped_column(String(50))
    variables: Mapped[list[Json]] = mapped_column(server_default=text("'[]'::jsonb"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())

    @property
    def declared(self) -> tuple[Variable, ...]:
        """The variables that it declares."""
        return tuple(Variable.from_json(stored) for stored in self.variables)


class PromptLabel(Base):
    """A name for one version of a template, such as `production`; it is moved from one to another."""

    __tablename__ = "prompt_labels"
    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "template_id"], ["prompt_templates.tenant_id", "prompt_templates.id"], ondelete="RESTRICT"
        ),
        ForeignKeyConstraint(
            ["tenant_id", "template_id", "version"],
            [
                "prompt_template_versions.tenant_id",
                "prompt_template_versions.template_id",
                "prompt_template_versions.version",
            ],
            ondelete="RESTRICT",
            name="fk_prompt_labels_version",
        ),
        CheckConstraint("char_length(label) between 1 and 64", name="label_length"),
    )

    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    template_id: Mapped[UUID] = mapped_column(primary_key=True)
    label: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(Integer)
    moved_by: Mapped[str]
    moved_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class PromptTemplateChange(Base):
    """One line of a template's history, numbered as the template's revisions: all that was ever done to it."""

    __tablename__ = "prompt_template_changes"
    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "template_id"], ["prompt_templates.tenant_id", "prompt_templates.id"], ondelete="RESTRICT"
        ),
        Index(None, "tenant_id", "template_id", "label", "revision"),
        # Who saved a version: one line of the history says so.
        Index(
            "uq_prompt_template_changes_saved", "tenant_id", "template_id", "version", unique=True,
            postgresql_where=text("kind in ('created', 'updated')"),
        ),
        CheckConstraint("revision >= 1", name="revision"),
        CheckConstraint(
            "kind in ('created', 'updated', 'enabled', 'disabled', 'labelled', 'unlabelled', 'deleted')", name="kind"
        ),
        *bounded(label=64, correlation_id=255),
    )  # fmt: skip

    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    template_id: Mapped[UUID] = mapped_column(primary_key=True)
    revision: Mapped[int] = mapped_column(Integer, primary_key=True)
    kind: Mapped[str]
    label: Mapped[str | None]
    """Of a label's move."""
    from_version: Mapped[int | None] = mapped_column(Integer)
    """Where a label was before; None where it is new."""
    version: Mapped[int | None] = mapped_column(Integer)
    """The version that was added, or that a label was set to."""
    actor: Mapped[str]
    correlation_id: Mapped[str]
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


def stored_variables(variables: tuple[Variable, ...]) -> list[dict[str, Any]]:
    """Variables as their column takes them."""
    return [variable.as_json() for variable in variables]
