"""Branches: find a message among those beside it, and say which session another was forked from.

Both indexes are built while writers wait. For a large table build them beforehand with CREATE INDEX CONCURRENTLY, by
these names and with these columns: what is there is not built again.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261121_branches"
down_revision = "20261121_agent_state"
branch_labels = None
depends_on = None

_CHILDREN = "ix_chat_messages_tenant_id_parent_message_id"


def upgrade() -> None:
    op.create_index(
        f"{_CHILDREN}_sequence_number",
        "chat_messages",
        ["tenant_id", "parent_message_id", "sequence_number"],
        if_not_exists=True,
    )
    op.create_index(
        "ix_chat_messages_roots",
        "chat_messages",
        ["tenant_id", "session_id", "sequence_number"],
        postgresql_where=sa.text("parent_message_id is null"),
        if_not_exists=True,
    )
    # What it was for, the longer one does too.
    op.drop_index(_CHILDREN, table_name="chat_messages")
    op.add_column("chat_sessions", sa.Column("forked_from_session_id", sa.Uuid(), nullable=True))
    op.add_column("chat_sessions", sa.Column("forked_from_message_id", sa.Uuid(), nullable=True))


def downgrade() -> None:
    op.drop_column("chat_sessions", "forked_from_message_id")
    op.drop_column("chat_sessions", "forked_from_session_id")
    op.create_index(_CHILDREN, "chat_messages", ["tenant_id", "parent_message_id"])
    op.drop_index("ix_chat_messages_roots", table_name="chat_messages")
    op.drop_index(f"{_CHILDREN}_sequence_number", table_name="chat_messages")
