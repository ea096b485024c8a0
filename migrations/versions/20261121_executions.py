"""Executions of tool calls, with the approvals they need."""

import sqlalchemy as sa
from alembic import op

revision = "20261121_executions"
down_revision = "20261121_search"
branch_labels = None
depends_on = None

_AWAITING = sa.text("status = 'awaiting_approval'")


def upgrade() -> None:
    op.add_column(
        "chat_sessions", sa.Column("tool_executions", sa.Integer(), server_default=sa.text("0"), nullable=False)
    )
    # A new table: its indexes are built over nothing.
    op.create_table(
        "tool_executions",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("tool_call_id", sa.Uuid(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=True),
        sa.Column("tool_name", sa.Text(), nullable=False),
        sa.Column("input", sa.Text(), nullable=False),
        sa.Column("output", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), server_default="pending", nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("required_approval", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("approved", sa.Boolean(), nullable=True),
        sa.Column("approved_by", sa.Text(), nullable=True),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decision_comment", sa.Text(), nullable=True),
        sa.Column("approval_expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("agent_id", sa.Text(), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("duration_ms", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "status in ('pending', 'running', 'completed', 'failed', 'cancelled', 'awaiting_approval')",
            name=op.f("ck_tool_executions_status"),
        ),
        sa.CheckConstraint(
            "(completed_at is null) = (status not in ('completed', 'failed', 'cancelled'))",
            name=op.f("ck_tool_executions_completed_at"),
        ),
        sa.CheckConstraint(
            "completed_at is null or started_at <= completed_at", name=op.f("ck_tool_executions_started_at")
        ),
        sa.CheckConstraint("(approved is null) = (approved_by is null)", name=op.f("ck_tool_executions_approved_by")),
        sa.CheckConstraint("(approved is null) = (approved_at is null)", name=op.f("ck_tool_executions_approved_at")),
        sa.CheckConstraint("approved is null or required_approval", name=op.f("ck_tool_executions_required_approval")),
        sa.CheckConstraint(
            "status <> 'awaiting_approval' or (required_approval and approved is null "
            "and approval_expires_at is not null)",
            name=op.f("ck_tool_executions_awaiting_approval"),
        ),
        sa.CheckConstraint("duration_ms >= 0", name=op.f("ck_tool_executions_duration_ms")),
        sa.CheckConstraint("char_length(tool_name) <= 255", name=op.f("ck_tool_executions_tool_name_length")),
        sa.CheckConstraint("char_length(input) <= 100000", name=op.f("ck_tool_executions_input_length")),
        sa.CheckConstraint("char_length(output) <= 1000000", name=op.f("ck_tool_executions_output_length")),
        sa.CheckConstraint("char_length(error) <= 4000", name=op.f("ck_tool_executions_error_length")),
        sa.CheckConstraint(
            "char_length(decision_comment) <= 4000", name=op.f("ck_tool_executions_decision_comment_length")
        ),
        sa.CheckConstraint("char_length(agent_id) <= 255", name=op.f("ck_tool_executions_agent_id_length")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "session_id"],
            ["chat_sessions.tenant_id", "chat_sessions.id"],
            name=op.f("fk_tool_executions_tenant_id_session_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "tool_call_id"],
            ["tool_calls.tenant_id", "tool_calls.id"],
            name=op.f("fk_tool_executions_tenant_id_tool_call_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_tool_executions")),
    )
    op.create_index("uq_tool_executions_tool_call_id", "tool_executions", ["tenant_id", "tool_call_id"], unique=True)
    op.create_index(
        op.f("ix_tool_executions_tenant_id_session_id_created_at_id"),
        "tool_executions",
        ["tenant_id", "session_id", "created_at", "id"],
    )
    op.create_index(op.f("ix_tool_executions_tenant_id_tool_name"), "tool_executions", ["tenant_id", "tool_name"])
    op.create_index(op.f("ix_tool_executions_tenant_id_status"), "tool_executions", ["tenant_id", "status"])
    op.create_index(op.f("ix_tool_executions_tenant_id_started_at"), "tool_executions", ["tenant_id", "started_at"])
    op.create_index(
        "ix_tool_executions_inbox",
        "tool_executions",
        ["tenant_id", "user_id", "created_at", "id"],
        postgresql_where=_AWAITING,
    )
    op.create_index(
        "ix_tool_executions_expiring",
        "tool_executions",
        ["approval_expires_at"],
        postgresql_where=sa.text("status = 'awaiting_approval' and approval_expires_at is not null"),
    )


def downgrade() -> None:
    op.drop_table("tool_executions")
    op.drop_column("chat_sessions", "tool_executions")
