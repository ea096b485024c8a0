"""Prompt templates for the stages of the workflow: one of each may be enabled in a place."""

import sqlalchemy as sa
from alembic import op

revision = "20261121_stage_templates"
down_revision = "20261121_structured_runs"
branch_labels = None
depends_on = None

_STAGE = "stage in ('requirements_analysis', 'project_planning', 'story_generation', 'prompt_generation')"


def upgrade() -> None:

    op.add_column("prompt_templates", sa.Column("stage", sa.Text(), nullable=True))
    op.create_check_constraint(op.f("ck_prompt_templates_stage"), "prompt_templates", _STAGE)
    op.drop_index("uq_prompt_templates_enabled", table_name="prompt_templates")
    op.create_index(
        "uq_prompt_templates_enabled",
        "prompt_templates",
        ["tenant_id", "organization_id", "project_id", "stage"],
        unique=True,
        postgresql_where=sa.text("enabled"),
        postgresql_nulls_not_distinct=True,
    )


def downgrade() -> None:
    # Before, one alone could be enabled in a place: those of stages have no use there.
    op.execute("UPDATE prompt_templates SET enabled = false WHERE enabled AND stage IS NOT NULL")
    op.drop_index("uq_prompt_templates_enabled", table_name="prompt_templates")
    op.create_index(
        "uq_prompt_templates_enabled",
        "prompt_templates",
        ["tenant_id", "organization_id", "project_id"],
        unique=True,
        postgresql_where=sa.text("enabled"),
        postgresql_nulls_not_distinct=True,
    )
    op.drop_column("prompt_templates", "stage")
