"""Sessions with their metadata, messages, tool calls, events and client keys."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "20261121_conversations"
down_revision = None
branch_labels = None
depends_on = None


# A tombstone keeps its number and its place and nothing else. The room of messages does not know what hangs on them.
_FORGET_TOOL_CALLS = """
CREATE FUNCTION forget_tool_calls() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM tool_calls WHERE tenant_id = NEW.tenant_id AND message_id = NEW.id;
  RETURN NULL;
END $$
"""
_ON_TOMBSTONE = """
CREATE TRIGGER forget_tool_calls AFTER UPDATE OF deleted_at ON chat_messages
FOR EACH ROW WHEN (OLD.deleted_at IS NULL AND NEW.deleted_at IS NOT NULL) EXECUTE FUNCTION forget_tool_calls()
"""


def upgrade() -> None:
    op.create_table(
        "chat_sessions",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), server_default="active", nullable=False),
        sa.Column("agent_id", sa.Text(), nullable=True),
        sa.Column("model", sa.Text(), nullable=True),
        sa.Column("provider", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("last_sequence", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("last_event", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("active_leaf_id", sa.Uuid(), nullable=True),
        sa.Column("active_leaf_parent_id", sa.Uuid(), nullable=True),
        sa.Column("user_messages", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("assistant_messages", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("system_messages", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("tool_messages", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("tool_calls", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("total_tokens_used", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("estimated_cost", sa.Numeric(precision=20, scale=10), server_default=sa.text("0"), nullable=False),
        sa.Column("total_duration_ms", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("awaiting_answer_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("answer_ms", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint(
            "status in ('active', 'paused', 'completed', 'failed', 'archived')", name=op.f("ck_chat_sessions_status")
        ),
        sa.CheckConstraint("char_length(agent_id) <= 255", name=op.f("ck_chat_sessions_agent_id_length")),
        sa.CheckConstraint("char_length(description) <= 4000", name=op.f("ck_chat_sessions_description_length")),
        sa.CheckConstraint("char_length(model) <= 255", name=op.f("ck_chat_sessions_model_length")),
        sa.CheckConstraint("char_length(provider) <= 255", name=op.f("ck_chat_sessions_provider_length")),
        sa.CheckConstraint("char_length(title) between 1 and 255", name=op.f("ck_chat_sessions_title_length")),
        sa.CheckConstraint("last_sequence >= 0 and last_event >= 0", name=op.f("ck_chat_sessions_counters")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_chat_sessions")),
    )
    op.create_index(
        op.f("ix_chat_sessions_tenant_id_created_at"), "chat_sessions", ["tenant_id", "created_at"], unique=False
    )
    op.create_index(
        op.f("ix_chat_sessions_tenant_id_user_id_created_at_id"),
        "chat_sessions",
        ["tenant_id", "user_id", "created_at", "id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_chat_sessions_tenant_id_user_id_updated_at_id"),
        "chat_sessions",
        ["tenant_id", "user_id", "updated_at", "id"],
        unique=False,
    )
    op.create_table(
        "client_keys",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("body_hash", sa.LargeBinary(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("char_length(key) between 1 and 200", name=op.f("ck_client_keys_key_length")),
        sa.PrimaryKeyConstraint("tenant_id", "user_id", "key", name=op.f("pk_client_keys")),
    )
    op.create_table(
        "events",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("stream_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column(
            "payload", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("owner_id", sa.Text(), nullable=False),
        sa.Column("correlation_id", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "stream_id", "seq", name=op.f("pk_events")),
    )
    op.create_index(
        op.f("ix_events_tenant_id_at_stream_id_seq"), "events", ["tenant_id", "at", "stream_id", "seq"], unique=False
    )
    op.create_index(
        op.f("ix_events_tenant_id_owner_id_at_stream_id_seq"),
        "events",
        ["tenant_id", "owner_id", "at", "stream_id", "seq"],
        unique=False,
    )
    op.create_table(
        "chat_messages",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("sequence_number", sa.Integer(), nullable=False),
        sa.Column("parent_message_id", sa.Uuid(), nullable=True),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), server_default="completed", nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("token_count", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("token_count_estimated", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("tool_call_id", sa.Text(), nullable=True),
        sa.Column("tool_call_count", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("error_code", sa.Text(), nullable=True),
        sa.Column("error_message", sa.Text(), nullable=True),
        sa.Column("intent_name", sa.Text(), nullable=True),
        sa.Column("intent_confidence", sa.Double(), nullable=True),
        sa.Column("intent_keywords", postgresql.ARRAY(sa.Text()), nullable=True),
        sa.Column("model", sa.Text(), nullable=True),
        sa.Column("temperature", sa.Double(), nullable=True),
        sa.Column("generation_source", sa.Text(), nullable=True),
        sa.Column("processing_time_ms", sa.Integer(), nullable=True),
        sa.Column(
            "context", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
        sa.Column(
            "streaming", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
        sa.Column(
            "pipeline_facts",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
        sa.Column(
            "custom_metadata",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("deleted_at is null or content = ''", name=op.f("ck_chat_messages_tombstone")),
        sa.CheckConstraint("role in ('system', 'user', 'assistant', 'tool')", name=op.f("ck_chat_messages_role")),
        sa.CheckConstraint(
            "status in ('pending', 'processing', 'completed', 'failed', 'cancelled')",
            name=op.f("ck_chat_messages_status"),
        ),
        sa.CheckConstraint("cardinality(intent_keywords) <= 2000", name=op.f("ck_chat_messages_intent_keywords_count")),
        sa.CheckConstraint("char_length(content) <= 1000000", name=op.f("ck_chat_messages_content_length")),
        sa.CheckConstraint("char_length(error_code) <= 255", name=op.f("ck_chat_messages_error_code_length")),
        sa.CheckConstraint("char_length(error_message) <= 4000", name=op.f("ck_chat_messages_error_message_length")),
        sa.CheckConstraint(
            "char_length(generation_source) <= 255", name=op.f("ck_chat_messages_generation_source_length")
        ),
        sa.CheckConstraint("char_length(intent_name) <= 255", name=op.f("ck_chat_messages_intent_name_length")),
        sa.CheckConstraint("char_length(model) <= 255", name=op.f("ck_chat_messages_model_length")),
        sa.CheckConstraint("char_length(tool_call_id) <= 255", name=op.f("ck_chat_messages_tool_call_id_length")),
        sa.CheckConstraint(
            "intent_confidence > 0 and intent_confidence <= 1", name=op.f("ck_chat_messages_intent_confidence")
        ),
        sa.CheckConstraint("pg_column_size(context) <= 8388608", name=op.f("ck_chat_messages_context_size")),
        sa.CheckConstraint(
            "pg_column_size(custom_metadata) <= 8388608", name=op.f("ck_chat_messages_custom_metadata_size")
        ),
        sa.CheckConstraint(
            "pg_column_size(pipeline_facts) <= 8388608", name=op.f("ck_chat_messages_pipeline_facts_size")
        ),
        sa.CheckConstraint("pg_column_size(streaming) <= 8388608", name=op.f("ck_chat_messages_streaming_size")),
        sa.CheckConstraint("sequence_number >= 1", name=op.f("ck_chat_messages_sequence_number")),
        sa.CheckConstraint("token_count >= 0 and processing_time_ms >= 0", name=op.f("ck_chat_messages_counts")),
        sa.CheckConstraint("tool_call_count between 0 and 128", name=op.f("ck_chat_messages_tool_call_count")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "parent_message_id"],
            ["chat_messages.tenant_id", "chat_messages.id"],
            name=op.f("fk_chat_messages_tenant_id_parent_message_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "session_id"],
            ["chat_sessions.tenant_id", "chat_sessions.id"],
            name=op.f("fk_chat_messages_tenant_id_session_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_chat_messages")),
    )
    op.create_index(
        op.f("ix_chat_messages_tenant_id_created_at"), "chat_messages", ["tenant_id", "created_at"], unique=False
    )
    op.create_index(
        op.f("ix_chat_messages_tenant_id_parent_message_id"),
        "chat_messages",
        ["tenant_id", "parent_message_id"],
        unique=False,
    )
    op.create_index(
        "uq_chat_messages_sequence", "chat_messages", ["tenant_id", "session_id", "sequence_number"], unique=True
    )
    op.create_table(
        "session_metadata",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("tags", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column(
            "custom_data",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
        sa.Column("summary", sa.Text(), nullable=True),
        sa.CheckConstraint("cardinality(tags) <= 50", name=op.f("ck_session_metadata_tags_count")),
        sa.CheckConstraint("char_length(summary) <= 20000", name=op.f("ck_session_metadata_summary_length")),
        sa.CheckConstraint("pg_column_size(custom_data) <= 8388608", name=op.f("ck_session_metadata_custom_data_size")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "session_id"],
            ["chat_sessions.tenant_id", "chat_sessions.id"],
            name=op.f("fk_session_metadata_tenant_id_session_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "session_id", name=op.f("pk_session_metadata")),
    )
    op.create_index("ix_session_metadata_tags", "session_metadata", ["tags"], unique=False, postgresql_using="gin")
    op.create_table(
        "tool_calls",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("call_id", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("arguments", sa.Text(), nullable=False),
        sa.Column("result", sa.Text(), nullable=True),
        sa.Column("result_truncated", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("success", sa.Boolean(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("executed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("duration_ms", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("char_length(arguments) <= 8000", name=op.f("ck_tool_calls_arguments_length")),
        sa.CheckConstraint("char_length(call_id) <= 255", name=op.f("ck_tool_calls_call_id_length")),
        sa.CheckConstraint("char_length(error) <= 4000", name=op.f("ck_tool_calls_error_length")),
        sa.CheckConstraint("char_length(name) between 1 and 255", name=op.f("ck_tool_calls_name_length")),
        sa.CheckConstraint("char_length(result) <= 8000", name=op.f("ck_tool_calls_result_length")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "message_id"],
            ["chat_messages.tenant_id", "chat_messages.id"],
            name=op.f("fk_tool_calls_tenant_id_message_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_tool_calls")),
    )
    op.create_index(op.f("ix_tool_calls_tenant_id_name"), "tool_calls", ["tenant_id", "name"], unique=False)
    op.create_index("uq_tool_calls_call_id", "tool_calls", ["tenant_id", "message_id", "call_id"], unique=True)
    op.create_index("uq_tool_calls_position", "tool_calls", ["tenant_id", "message_id", "position"], unique=True)
    op.execute(_FORGET_TOOL_CALLS)
    op.execute(_ON_TOMBSTONE)


def downgrade() -> None:
    op.drop_table("tool_calls")
    op.drop_table("session_metadata")
    op.drop_table("chat_messages")
    op.execute("DROP FUNCTION forget_tool_calls")
    op.drop_table("events")
    op.drop_table("client_keys")
    op.drop_table("chat_sessions")
