"""What agents keep in a session, and how many of them do."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "20261121_agent_state"
down_revision = "20261121_ages"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "chat_sessions", sa.Column("agent_states", sa.SmallInteger(), server_default=sa.text("0"), nullable=False)
    )
    op.create_check_constraint(op.f("ck_chat_sessions_agent_states"), "chat_sessions", "agent_states between 0 and 100")
    op.create_table(
        "agent_states",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("agent_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("state", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("char_length(agent_id) between 1 and 255", name=op.f("ck_agent_states_agent_id_length")),
        sa.CheckConstraint("version >= 1", name=op.f("ck_agent_states_version")),
        sa.CheckConstraint("pg_column_size(state) <= 1048576", name=op.f("ck_agent_states_state_size")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "session_id"],
            ["chat_sessions.tenant_id", "chat_sessions.id"],
            name=op.f("fk_agent_states_tenant_id_session_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "session_id", "agent_id", name=op.f("pk_agent_states")),
    )
    op.create_index("uq_agent_states_id", "agent_states", ["tenant_id", "id"], unique=True)


def downgrade() -> None:
    op.drop_table("agent_states")
    op.drop_constraint(op.f("ck_chat_sessions_agent_states"), "chat_sessions")
    op.drop_column("chat_sessions", "agent_states")
