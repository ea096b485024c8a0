"""Count the uses of each tool and each model by session.

What is there is counted from the events and the messages. A release from before this one goes on without counting by
name; the other counters are unaffected.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261121_statistics"
down_revision = "20261121_attachments"
branch_labels = None
depends_on = None


# By their events: the calls of a deleted message are gone, and were made all the same.
_TOOLS = """
INSERT INTO session_tallies (tenant_id, session_id, kind, name, times)
  SELECT events.tenant_id, events.stream_id, 'tool', events.payload->>'name', count(*)
  FROM chat_sessions JOIN events ON events.tenant_id = chat_sessions.tenant_id AND events.stream_id = chat_sessions.id
  WHERE chat_sessions.tool_calls > 0 AND events.kind = 'tool_call.added' AND events.payload->>'name' IS NOT NULL
  GROUP BY 1, 2, 4
"""
# A run that no worker took names a model that was never asked.
_MODELS = """
INSERT INTO session_tallies (tenant_id, session_id, kind, name, times)
  SELECT tenant_id, session_id, 'model', model, count(*) FROM chat_messages
  WHERE role = 'assistant' AND model IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM runs WHERE runs.tenant_id = chat_messages.tenant_id AND runs.message_id = chat_messages.id
    AND runs.generation = 0
  )
  GROUP BY 1, 2, 4
"""


def upgrade() -> None:
    op.create_table(
        "session_tallies",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("times", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("kind in ('tool', 'model')", name=op.f("ck_session_tallies_kind")),
        sa.CheckConstraint("times >= 1", name=op.f("ck_session_tallies_times")),
        sa.CheckConstraint("char_length(name) <= 255", name=op.f("ck_session_tallies_name_length")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "session_id"],
            ["chat_sessions.tenant_id", "chat_sessions.id"],
            name=op.f("fk_session_tallies_tenant_id_session_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "session_id", "kind", "name", name=op.f("pk_session_tallies")),
    )
    op.execute(_TOOLS)
    op.execute(_MODELS)


def downgrade() -> None:
    op.drop_table("session_tallies")
