"""The workflow: projects, attempts at their stages, stories, reviews and what was decided."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "20261121_workflow"
down_revision = "20261121_prompt_executions"
branch_labels = None
depends_on = None

_STAGE = "stage in ('requirements_analysis', 'project_planning', 'story_generation', 'prompt_generation')"
_UPSTREAM = """
    (stage = 'requirements_analysis' and upstream_id is null and upstream_stage is null)
    or (stage = 'project_planning' and upstream_id is not null and upstream_stage = 'requirements_analysis')
    or (stage = 'story_generation' and upstream_id is not null and upstream_stage = 'project_planning')
    or (stage = 'prompt_generation' and upstream_id is not null and upstream_stage = 'story_generation')
"""


def upgrade() -> None:
    op.create_table(
        "projects",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("last_event", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("updated_by", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "char_length(description) between 1 and 100000", name=op.f("ck_projects_description_length")
        ),
        sa.CheckConstraint("char_length(name) between 1 and 255", name=op.f("ck_projects_name_length")),
        sa.CheckConstraint("version >= 1 and last_event >= 0", name=op.f("ck_projects_counters")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_projects")),
    )
    op.create_index(op.f("ix_projects_tenant_id_created_at_id"), "projects", ["tenant_id", "created_at", "id"])
    op.create_index(op.f("ix_projects_tenant_id_name_id"), "projects", ["tenant_id", "name", "id"])
    op.create_index(op.f("ix_projects_tenant_id_updated_at_id"), "projects", ["tenant_id", "updated_at", "id"])
    op.create_table(
        "reviews",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), server_default="pending", nullable=False),
        sa.Column("service_name", sa.Text(), nullable=False),
        sa.Column("feedback", sa.Text(), nullable=True),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decisions", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("(status = 'pending') = (decided_at is null)", name=op.f("ck_reviews_decided_at")),
        sa.CheckConstraint(_STAGE, name=op.f("ck_reviews_stage")),
        sa.CheckConstraint("status in ('pending', 'approved', 'rejected')", name=op.f("ck_reviews_status")),
        sa.CheckConstraint("(decided_at is null) = (decisions = 0)", name=op.f("ck_reviews_decisions")),
        sa.CheckConstraint("char_length(feedback) <= 20000", name=op.f("ck_reviews_feedback_length")),
        sa.CheckConstraint("char_length(service_name) <= 255", name=op.f("ck_reviews_service_name_length")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "project_id"],
            ["projects.tenant_id", "projects.id"],
            name=op.f("fk_reviews_tenant_id_project_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_reviews")),
    )
    op.create_index(
        "ix_reviews_pending",
        "reviews",
        ["tenant_id", "created_at", "id"],
        postgresql_where=sa.text("status = 'pending'"),
    )
    op.create_index(
        op.f("ix_reviews_tenant_id_project_id_created_at_id"),
        "reviews",
        ["tenant_id", "project_id", "created_at", "id"],
    )
    op.create_table(
        "review_decisions",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("review_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("feedback", sa.Text(), nullable=True),
        sa.Column("decided_by", sa.Text(), nullable=False),
        sa.Column("correlation_id", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("kind in ('approve', 'reject', 'request_changes')", name=op.f("ck_review_decisions_kind")),
        sa.CheckConstraint(
            "char_length(correlation_id) <= 255", name=op.f("ck_review_decisions_correlation_id_length")
        ),
        sa.CheckConstraint("char_length(feedback) <= 20000", name=op.f("ck_review_decisions_feedback_length")),
        sa.CheckConstraint("number >= 1", name=op.f("ck_review_decisions_number")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "review_id"],
            ["reviews.tenant_id", "reviews.id"],
            name=op.f("fk_review_decisions_tenant_id_review_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "review_id", "number", name=op.f("pk_review_decisions")),
    )
    op.create_table(
        "workflow_stages",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("upstream_stage", sa.Text(), nullable=True),
        sa.Column("upstream_id", sa.Uuid(), nullable=True),
        sa.Column("story_index", sa.SmallInteger(), nullable=True),
        sa.Column("status", sa.Text(), server_default="pending", nullable=False),
        sa.Column("content", sa.Text(), nullable=True),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("review_id", sa.Uuid(), nullable=True),
        sa.Column("run_id", sa.Uuid(), nullable=True),
        sa.Column("starts", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("repairs", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("error_code", sa.Text(), nullable=True),
        sa.Column("error_message", sa.Text(), nullable=True),
        sa.Column("error_facts", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("correlation_id", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "(stage = 'prompt_generation') = (story_index is not null)", name=op.f("ck_workflow_stages_story_index")
        ),
        sa.CheckConstraint("(status = 'failed') = (error_code is not null)", name=op.f("ck_workflow_stages_error")),
        sa.CheckConstraint(_UPSTREAM, name=op.f("ck_workflow_stages_upstream")),
        sa.CheckConstraint(
            "not (status in ('awaiting_review', 'approved', 'rejected')) "
            "or (content is not null and review_id is not null)",
            name=op.f("ck_workflow_stages_content"),
        ),
        sa.CheckConstraint(_STAGE, name=op.f("ck_workflow_stages_stage")),
        sa.CheckConstraint(
            "status in ('pending', 'generating', 'awaiting_review', 'approved', 'rejected', 'failed', 'stale')",
            name=op.f("ck_workflow_stages_status"),
        ),
        sa.CheckConstraint("attempt >= 1 and starts >= 0 and repairs >= 0", name=op.f("ck_workflow_stages_counters")),
        sa.CheckConstraint("char_length(content) <= 1000000", name=op.f("ck_workflow_stages_content_length")),
        sa.CheckConstraint("char_length(correlation_id) <= 255", name=op.f("ck_workflow_stages_correlation_id_length")),
        sa.CheckConstraint("char_length(error_code) <= 255", name=op.f("ck_workflow_stages_error_code_length")),
        sa.CheckConstraint("char_length(error_message) <= 4000", name=op.f("ck_workflow_stages_error_message_length")),
        sa.CheckConstraint("char_length(model) <= 255", name=op.f("ck_workflow_stages_model_length")),
        sa.CheckConstraint("pg_column_size(error_facts) <= 8388608", name=op.f("ck_workflow_stages_error_facts_size")),
        sa.CheckConstraint("story_index between 0 and 49", name=op.f("ck_workflow_stages_story_index_range")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "project_id", "upstream_stage", "upstream_id"],
            ["workflow_stages.tenant_id", "workflow_stages.project_id", "workflow_stages.stage", "workflow_stages.id"],
            name="fk_workflow_stages_upstream",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "project_id"],
            ["projects.tenant_id", "projects.id"],
            name=op.f("fk_workflow_stages_tenant_id_project_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "review_id"],
            ["reviews.tenant_id", "reviews.id"],
            name=op.f("fk_workflow_stages_tenant_id_review_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "run_id"],
            ["runs.tenant_id", "runs.id"],
            name=op.f("fk_workflow_stages_tenant_id_run_id"),
            ondelete="SET NULL (run_id)",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_workflow_stages")),
        sa.UniqueConstraint("tenant_id", "project_id", "stage", "id", name="uq_workflow_stages_of_stage"),
        sa.UniqueConstraint("tenant_id", "review_id", name="uq_workflow_stages_review_id"),
    )
    op.create_index(
        "ix_workflow_stages_live",
        "workflow_stages",
        ["updated_at"],
        postgresql_where=sa.text("status in ('pending', 'generating')"),
    )
    op.create_index(
        "ix_workflow_stages_run",
        "workflow_stages",
        ["tenant_id", "run_id"],
        postgresql_where=sa.text("run_id is not null"),
    )
    op.create_index(
        op.f("ix_workflow_stages_tenant_id_project_id_created_at_id"),
        "workflow_stages",
        ["tenant_id", "project_id", "created_at", "id"],
    )
    op.create_index(
        op.f("ix_workflow_stages_tenant_id_project_id_stage_status"),
        "workflow_stages",
        ["tenant_id", "project_id", "stage", "status"],
    )
    op.create_index(op.f("ix_workflow_stages_tenant_id_status"), "workflow_stages", ["tenant_id", "status"])
    op.create_index(op.f("ix_workflow_stages_tenant_id_upstream_id"), "workflow_stages", ["tenant_id", "upstream_id"])
    op.create_index(
        "uq_workflow_stages_approved",
        "workflow_stages",
        ["tenant_id", "project_id", "stage"],
        unique=True,
        postgresql_where=sa.text("status = 'approved' and stage <> 'prompt_generation'"),
    )
    op.create_index(
        "uq_workflow_stages_approved_prompt",
        "workflow_stages",
        ["tenant_id", "upstream_id", "story_index"],
        unique=True,
        postgresql_where=sa.text("status = 'approved' and stage = 'prompt_generation'"),
    )
    op.create_index(
        "uq_workflow_stages_attempt",
        "workflow_stages",
        ["tenant_id", "project_id", "stage", "attempt"],
        unique=True,
        postgresql_where=sa.text("stage <> 'prompt_generation'"),
    )
    op.create_index(
        "uq_workflow_stages_live",
        "workflow_stages",
        ["tenant_id", "project_id", "stage"],
        unique=True,
        postgresql_where=sa.text("status in ('pending', 'generating') and stage <> 'prompt_generation'"),
    )
    op.create_index(
        "uq_workflow_stages_live_prompt",
        "workflow_stages",
        ["tenant_id", "upstream_id", "story_index"],
        unique=True,
        postgresql_where=sa.text("status in ('pending', 'generating') and stage = 'prompt_generation'"),
    )
    op.create_index(
        "uq_workflow_stages_prompt_attempt",
        "workflow_stages",
        ["tenant_id", "upstream_id", "story_index", "attempt"],
        unique=True,
        postgresql_where=sa.text("stage = 'prompt_generation'"),
    )
    op.create_table(
        "stories",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("story_generation_id", sa.Uuid(), nullable=False),
        sa.Column("story_index", sa.SmallInteger(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("acceptance_criteria", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("priority", sa.Text(), nullable=False),
        sa.Column("estimate", sa.SmallInteger(), nullable=False),
        sa.CheckConstraint("priority in ('low', 'medium', 'high')", name=op.f("ck_stories_priority")),
        sa.CheckConstraint("char_length(description) between 1 and 20000", name=op.f("ck_stories_description_length")),
        sa.CheckConstraint("char_length(title) between 1 and 255", name=op.f("ck_stories_title_length")),
        sa.CheckConstraint("estimate between 0 and 100", name=op.f("ck_stories_estimate")),
        sa.CheckConstraint("story_index between 0 and 49", name=op.f("ck_stories_story_index")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "story_generation_id"],
            ["workflow_stages.tenant_id", "workflow_stages.id"],
            name=op.f("fk_stories_tenant_id_story_generation_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "story_generation_id", "story_index", name=op.f("pk_stories")),
    )


def downgrade() -> None:
    for table in ("stories", "workflow_stages", "review_decisions", "reviews", "projects"):
        op.drop_table(table)
