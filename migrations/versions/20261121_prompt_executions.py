"""Executions of prompts: which version of a template was asked, with what values, and the run that answers."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "20261121_prompt_executions"
down_revision = "20261121_traces"
branch_labels = None
depends_on = None

_OF_TEMPLATE = sa.text("template_version_id is not null")


def upgrade() -> None:
    op.create_table(
        "prompt_executions",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("user_message_id", sa.Uuid(), nullable=False),
        sa.Column("template_id", sa.Uuid(), nullable=True),
        sa.Column("template_version_id", sa.Uuid(), nullable=True),
        sa.Column("label", sa.Text(), nullable=True),
        sa.Column("chosen_version", sa.Integer(), nullable=True),
        sa.Column(
            "variables", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
        sa.Column("context_file_id", sa.Text(), nullable=True),
        sa.Column("correlation_id", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "(template_id is null) = (template_version_id is null)", name=op.f("ck_prompt_executions_template")
        ),
        sa.CheckConstraint(
            "template_id is not null or (label is null and chosen_version is null)",
            name=op.f("ck_prompt_executions_choice"),
        ),
        sa.CheckConstraint("label is null or chosen_version is null", name=op.f("ck_prompt_executions_one_choice")),
        sa.CheckConstraint("char_length(label) <= 64", name=op.f("ck_prompt_executions_label_length")),
        sa.CheckConstraint(
            "char_length(context_file_id) <= 255", name=op.f("ck_prompt_executions_context_file_id_length")
        ),
        sa.CheckConstraint(
            "char_length(correlation_id) <= 255", name=op.f("ck_prompt_executions_correlation_id_length")
        ),
        sa.CheckConstraint("pg_column_size(variables) <= 8388608", name=op.f("ck_prompt_executions_variables_size")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "session_id"],
            ["chat_sessions.tenant_id", "chat_sessions.id"],
            name=op.f("fk_prompt_executions_tenant_id_session_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "run_id"],
            ["runs.tenant_id", "runs.id"],
            name=op.f("fk_prompt_executions_tenant_id_run_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "user_message_id"],
            ["chat_messages.tenant_id", "chat_messages.id"],
            name=op.f("fk_prompt_executions_tenant_id_user_message_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "template_version_id"],
            ["prompt_template_versions.tenant_id", "prompt_template_versions.id"],
            name=op.f("fk_prompt_executions_tenant_id_template_version_id"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_prompt_executions")),
        sa.UniqueConstraint("tenant_id", "run_id", name="uq_prompt_executions_run_id"),
    )
    op.create_index(
        op.f("ix_prompt_executions_tenant_id_session_id_created_at_id"),
        "prompt_executions",
        ["tenant_id", "session_id", "created_at", "id"],
    )
    op.create_index(
        op.f("ix_prompt_executions_tenant_id_user_message_id"), "prompt_executions", ["tenant_id", "user_message_id"]
    )
    op.create_index(
        "ix_prompt_executions_version",
        "prompt_executions",
        ["tenant_id", "template_version_id", "created_at", "id"],
        postgresql_where=_OF_TEMPLATE,
    )
    op.create_index(
        "ix_prompt_executions_version_user",
        "prompt_executions",
        ["tenant_id", "template_version_id", "user_id", "created_at", "id"],
        postgresql_where=_OF_TEMPLATE,
    )
    op.create_index(
        "ix_prompt_executions_template",
        "prompt_executions",
        ["tenant_id", "template_id"],
        postgresql_where=_OF_TEMPLATE,
    )


def downgrade() -> None:
    op.drop_table("prompt_executions")
