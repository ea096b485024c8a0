"""Conversations in which the stages of a project are generated: read by the tenant, and in no list of chats."""

import sqlalchemy as sa
from alembic import op

revision = "20261121_project_sessions"
down_revision = "20261121_workflow"
branch_labels = None
depends_on = None


def upgrade() -> None:

    op.add_column("chat_sessions", sa.Column("project_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f("fk_chat_sessions_tenant_id_project_id"),
        "chat_sessions",
        "projects",
        ["tenant_id", "project_id"],
        ["tenant_id", "id"],
        ondelete="CASCADE",
    )
    op.create_index(
        "ix_chat_sessions_conversations",
        "chat_sessions",
        ["tenant_id", "user_id", "updated_at", "id"],
        postgresql_where=sa.text("project_id is null"),
    )
    op.create_index(
        "ix_chat_sessions_project",
        "chat_sessions",
        ["tenant_id", "project_id", "id"],
        postgresql_where=sa.text("project_id is not null"),
    )
    op.drop_index(op.f("ix_chat_sessions_tenant_id_user_id_updated_at_id"), table_name="chat_sessions")


def downgrade() -> None:
    op.create_index(
        op.f("ix_chat_sessions_tenant_id_user_id_updated_at_id"),
        "chat_sessions",
        ["tenant_id", "user_id", "updated_at", "id"],
    )
    op.drop_index("ix_chat_sessions_project", table_name="chat_sessions")
    op.drop_index("ix_chat_sessions_conversations", table_name="chat_sessions")
    op.drop_constraint(op.f("fk_chat_sessions_tenant_id_project_id"), "chat_sessions", type_="foreignkey")
    op.drop_column("chat_sessions", "project_id")
