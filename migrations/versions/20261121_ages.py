"""Find what is looked for by its age alone: old client keys, and messages that nobody ends."""

import sqlalchemy as sa
from alembic import op

revision = "20261121_ages"
down_revision = "20261121_runs"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_client_keys_created_at", "client_keys", ["created_at"])
    op.create_index(
        "ix_chat_messages_unfinished",
        "chat_messages",
        ["updated_at"],
        postgresql_where=sa.text("status in ('pending', 'processing')"),
    )


def downgrade() -> None:
    op.drop_index("ix_chat_messages_unfinished", table_name="chat_messages")
    op.drop_index("ix_client_keys_created_at", table_name="client_keys")
