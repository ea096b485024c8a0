"""Runs with their logs, and the ledger of what they used."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "20261121_runs"
down_revision = "20261121_jobs"
branch_labels = None
depends_on = None


# Who deletes a message wants its text gone, also where it is still being written: its run ends, and whoever works it
# can store nothing more. The room of messages does not know what hangs on them.
_FORGET_ANSWER = """
CREATE FUNCTION forget_answer() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  ended runs;
  written bigint;
BEGIN
  UPDATE runs SET status = 'cancelled', finished_at = NEW.updated_at
    WHERE tenant_id = NEW.tenant_id AND message_id = NEW.id AND status IN ('queued', 'running')
    RETURNING * INTO ended;
  IF FOUND THEN
    SELECT coalesce(sum(char_length(payload->>'text')), 0) INTO written FROM run_events
      WHERE tenant_id = ended.tenant_id AND run_id = ended.id AND kind = 'delta';
    UPDATE runs SET last_seq = 1 + (
        SELECT coalesce(max(seq), 0) FROM run_events WHERE tenant_id = ended.tenant_id AND run_id = ended.id
      ) WHERE tenant_id = ended.tenant_id AND id = ended.id RETURNING * INTO ended;
    INSERT INTO run_events (tenant_id, run_id, seq, kind, payload)
      VALUES (ended.tenant_id, ended.id, ended.last_seq, 'cancelled', '{}');
    -- About four characters make a token: what a provider counted is not known here.
    IF ended.generation > 0 THEN
      INSERT INTO usage_ledger (tenant_id, run_id, session_id, user_id, model, status, input_tokens,
          cached_input_tokens, cache_write_tokens, output_tokens, reasoning_tokens, estimated, at)
        VALUES (ended.tenant_id, ended.id, ended.session_id, ended.user_id, ended.model, 'cancelled',
          CASE WHEN written > 0 THEN coalesce(ended.prompt_tokens, 0) ELSE 0 END, 0, 0, written / 4, 0, true,
          ended.finished_at);
    END IF;
  END IF;
  DELETE FROM run_events USING runs
    WHERE runs.tenant_id = NEW.tenant_id AND runs.message_id = NEW.id AND run_events.tenant_id = runs.tenant_id
    AND run_events.run_id = runs.id AND run_events.kind IN ('delta', 'tool_call');
  UPDATE runs SET compacted_at = NEW.updated_at
    WHERE tenant_id = NEW.tenant_id AND message_id = NEW.id AND compacted_at IS NULL;
  RETURN NULL;
END $$
"""
# Instead of a foreign key, whose check of every line would take a third of the time to store it. What a run used is not
# forgotten when it is deleted with its session while it is worked.
_FORGET_LINES = """
CREATE FUNCTION forget_lines() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO usage_ledger (tenant_id, run_id, session_id, user_id, model, status, input_tokens, cached_input_tokens,
      cache_write_tokens, output_tokens, reasoning_tokens, estimated)
    SELECT gone.tenant_id, gone.id, gone.session_id, gone.user_id, gone.model, 'cancelled',
      CASE WHEN said.characters > 0 THEN coalesce(gone.prompt_tokens, 0) ELSE 0 END, 0, 0, said.characters / 4, 0, true
    FROM gone CROSS JOIN LATERAL (
      SELECT coalesce(sum(char_length(payload->>'text')), 0)::bigint AS characters FROM run_events
      WHERE run_events.tenant_id = gone.tenant_id AND run_events.run_id = gone.id AND run_events.kind = 'delta'
    ) said
    WHERE gone.status = 'running';
  DELETE FROM run_events USING gone WHERE run_events.tenant_id = gone.tenant_id AND run_events.run_id = gone.id;
  RETURN NULL;
END $$
"""
_ON_DELETION = """
CREATE TRIGGER forget_lines AFTER DELETE ON runs REFERENCING OLD TABLE AS gone
FOR EACH STATEMENT EXECUTE FUNCTION forget_lines()
"""
_ON_TOMBSTONE = """
CREATE TRIGGER forget_answer AFTER UPDATE OF deleted_at ON chat_messages
FOR EACH ROW WHEN (OLD.deleted_at IS NULL AND NEW.deleted_at IS NOT NULL) EXECUTE FUNCTION forget_answer()
"""


def upgrade() -> None:
    op.create_table(
        "usage_ledger",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("input_tokens", sa.BigInteger(), nullable=False),
        sa.Column("cached_input_tokens", sa.BigInteger(), nullable=False),
        sa.Column("cache_write_tokens", sa.BigInteger(), nullable=False),
        sa.Column("output_tokens", sa.BigInteger(), nullable=False),
        sa.Column("reasoning_tokens", sa.BigInteger(), nullable=False),
        sa.Column("estimated", sa.Boolean(), nullable=False),
        sa.Column("cost", sa.Numeric(precision=20, scale=10), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("char_length(model) <= 255", name=op.f("ck_usage_ledger_model_length")),
        sa.CheckConstraint("char_length(status) <= 20", name=op.f("ck_usage_ledger_status_length")),
        sa.CheckConstraint(
            "input_tokens >= 0 and cached_input_tokens >= 0 and cache_write_tokens >= 0 and output_tokens >= 0 "
            "and reasoning_tokens >= 0 and cost >= 0",
            name=op.f("ck_usage_ledger_amounts"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "run_id", name=op.f("pk_usage_ledger")),
    )
    op.create_index(op.f("ix_usage_ledger_tenant_id_at"), "usage_ledger", ["tenant_id", "at"], unique=False)
    op.create_index(
        op.f("ix_usage_ledger_tenant_id_user_id_at"), "usage_ledger", ["tenant_id", "user_id", "at"], unique=False
    )
    op.create_table(
        "runs",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("prompt_message_id", sa.Uuid(), nullable=False),
        sa.Column("sequence_number", sa.Integer(), nullable=False),
        sa.Column("retry_of_id", sa.Uuid(), nullable=True),
        sa.Column("status", sa.Text(), server_default="queued", nullable=False),
        sa.Column("waiting", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("generation", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("temperature", sa.Double(), nullable=True),
        sa.Column("max_output_tokens", sa.Integer(), nullable=True),
        sa.Column("prompt_tokens", sa.BigInteger(), nullable=True),
        sa.Column("correlation_id", sa.Text(), nullable=False),
        sa.Column("last_seq", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("stop_reason", sa.Text(), nullable=True),
        sa.Column("error_code", sa.Text(), nullable=True),
        sa.Column("error_message", sa.Text(), nullable=True),
        sa.Column("error_facts", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("input_tokens", sa.BigInteger(), nullable=True),
        sa.Column("cached_input_tokens", sa.BigInteger(), nullable=True),
        sa.Column("cache_write_tokens", sa.BigInteger(), nullable=True),
        sa.Column("output_tokens", sa.BigInteger(), nullable=True),
        sa.Column("reasoning_tokens", sa.BigInteger(), nullable=True),
        sa.Column("usage_estimated", sa.Boolean(), nullable=True),
        sa.Column("cost", sa.Numeric(precision=20, scale=10), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("compacted_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(finished_at is null) = (status in ('queued', 'running'))", name=op.f("ck_runs_finished_at")
        ),
        sa.CheckConstraint("not waiting or status in ('queued', 'cancelled')", name=op.f("ck_runs_waiting")),
        sa.CheckConstraint(
            "status in ('queued', 'running', 'completed', 'failed', 'cancelled', 'interrupted')",
            name=op.f("ck_runs_status"),
        ),
        sa.CheckConstraint("char_length(error_code) <= 255", name=op.f("ck_runs_error_code_length")),
        sa.CheckConstraint("char_length(error_message) <= 4000", name=op.f("ck_runs_error_message_length")),
        sa.CheckConstraint("char_length(model) <= 255", name=op.f("ck_runs_model_length")),
        sa.CheckConstraint("char_length(stop_reason) <= 50", name=op.f("ck_runs_stop_reason_length")),
        sa.CheckConstraint("generation >= 0 and last_seq >= 0", name=op.f("ck_runs_counters")),
        sa.CheckConstraint("pg_column_size(error_facts) <= 8388608", name=op.f("ck_runs_error_facts_size")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "message_id"],
            ["chat_messages.tenant_id", "chat_messages.id"],
            name=op.f("fk_runs_tenant_id_message_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "session_id"],
            ["chat_sessions.tenant_id", "chat_sessions.id"],
            name=op.f("fk_runs_tenant_id_session_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_runs")),
        postgresql_with={"fillfactor": "70"},
    )
    op.create_index(
        "ix_runs_compactable",
        "runs",
        ["finished_at"],
        unique=False,
        postgresql_where=sa.text("finished_at is not null and compacted_at is null"),
    )
    op.create_index(
        "ix_runs_live",
        "runs",
        ["created_at"],
        unique=False,
        postgresql_where=sa.text("status in ('queued', 'running')"),
    )
    op.create_index(
        op.f("ix_runs_tenant_id_session_id_sequence_number"),
        "runs",
        ["tenant_id", "session_id", "sequence_number"],
        unique=False,
    )
    op.create_index(
        "uq_runs_active",
        "runs",
        ["tenant_id", "session_id"],
        unique=True,
        postgresql_where=sa.text("status in ('queued', 'running') and not waiting"),
    )
    op.create_index("uq_runs_message_id", "runs", ["tenant_id", "message_id"], unique=True)
    op.create_table(
        "run_events",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("payload", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.CheckConstraint("char_length(kind) <= 20", name=op.f("ck_run_events_kind_length")),
        sa.CheckConstraint("pg_column_size(payload) <= 8388608", name=op.f("ck_run_events_payload_size")),
        sa.CheckConstraint("seq >= 1", name=op.f("ck_run_events_seq")),
        sa.PrimaryKeyConstraint("tenant_id", "run_id", "seq", name=op.f("pk_run_events")),
    )
    op.execute(_FORGET_ANSWER)
    op.execute(_ON_TOMBSTONE)
    op.execute(_FORGET_LINES)
    op.execute(_ON_DELETION)


def downgrade() -> None:
    op.execute("DROP TRIGGER forget_answer ON chat_messages")
    op.execute("DROP FUNCTION forget_answer")
    op.drop_table("run_events")
    op.drop_table("runs")
    op.execute("DROP FUNCTION forget_lines")
    op.drop_table("usage_ledger")
