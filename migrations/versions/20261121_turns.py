"""Runs that call tools: their turns, and the status in which they wait."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "20261121_turns"
down_revision = "20261121_executions"
branch_labels = None
depends_on = None

_LIVE_BEFORE = "status in ('queued', 'running')"
_LIVE = "status in ('queued', 'running', 'requires_action')"
_ENDED = "'completed', 'failed', 'cancelled', 'interrupted'"

# As before; and a run that waits for tools is called off with the message that called them. What its turns used is
# told already; what is estimated is the one in which it was stopped. The text of a turn that a run has left behind is
# taken out of the lines, which stay: who follows the run counts them.
_FORGET_ANSWER = """
CREATE OR REPLACE FUNCTION forget_answer() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  ended runs;
  written bigint;
BEGIN
  SELECT * INTO ended FROM runs
    WHERE tenant_id = NEW.tenant_id AND message_id = NEW.id AND status IN ('queued', 'running', 'requires_action')
    FOR NO KEY UPDATE;
  IF FOUND THEN
    SELECT coalesce(sum(char_length(payload->>'text')), 0) INTO written FROM run_events
      WHERE tenant_id = ended.tenant_id AND run_id = ended.id AND kind = 'delta' AND seq > ended.turn_seq
      AND ended.status <> 'requires_action';
    UPDATE runs SET status = 'cancelled', finished_at = NEW.updated_at, last_seq = 1 + (
        SELECT coalesce(max(seq), 0) FROM run_events WHERE tenant_id = ended.tenant_id AND run_id = ended.id
      ) WHERE tenant_id = ended.tenant_id AND id = ended.id RETURNING * INTO ended;
    INSERT INTO run_events (tenant_id, run_id, seq, kind, payload)
      VALUES (ended.tenant_id, ended.id, ended.last_seq, 'cancelled', '{}');
    -- About four characters make a token: what a provider counted is not known here.
    IF ended.generation > 0 THEN
      INSERT INTO usage_ledger (tenant_id, run_id, session_id, user_id, model, status, input_tokens,
          cached_input_tokens, cache_write_tokens, output_tokens, reasoning_tokens, estimated, cost, at)
        VALUES (ended.tenant_id, ended.id, ended.session_id, ended.user_id, ended.model, 'cancelled',
          coalesce(ended.input_tokens, 0) + CASE WHEN written > 0 THEN coalesce(ended.prompt_tokens, 0) ELSE 0 END,
          coalesce(ended.cached_input_tokens, 0), coalesce(ended.cache_write_tokens, 0),
          coalesce(ended.output_tokens, 0) + written / 4, coalesce(ended.reasoning_tokens, 0), true,
          CASE WHEN written = 0 THEN ended.cost END, ended.finished_at);
    END IF;
  END IF;
  DELETE FROM run_events USING runs
    WHERE runs.tenant_id = NEW.tenant_id AND runs.message_id = NEW.id AND run_events.tenant_id = runs.tenant_id
    AND run_events.run_id = runs.id AND run_events.kind IN ('delta', 'tool_call', 'turn');
  UPDATE runs SET compacted_at = NEW.updated_at
    WHERE tenant_id = NEW.tenant_id AND message_id = NEW.id AND compacted_at IS NULL;
  UPDATE run_events SET payload = '{"text": ""}' FROM run_turns
    WHERE run_turns.tenant_id = NEW.tenant_id AND run_turns.message_id = NEW.id
    AND run_events.tenant_id = run_turns.tenant_id AND run_events.run_id = run_turns.run_id
    AND run_events.seq BETWEEN run_turns.first_seq AND run_turns.last_seq AND run_events.kind = 'delta';
  RETURN NULL;
END $$
"""
_FORGET_LINES = """
CREATE OR REPLACE FUNCTION forget_lines() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO usage_ledger (tenant_id, run_id, session_id, user_id, model, status, input_tokens, cached_input_tokens,
      cache_write_tokens, output_tokens, reasoning_tokens, estimated, cost)
    SELECT gone.tenant_id, gone.id, gone.session_id, gone.user_id, gone.model, 'cancelled',
      coalesce(gone.input_tokens, 0) + CASE WHEN said.characters > 0 THEN coalesce(gone.prompt_tokens, 0) ELSE 0 END,
      coalesce(gone.cached_input_tokens, 0), coalesce(gone.cache_write_tokens, 0),
      coalesce(gone.output_tokens, 0) + said.characters / 4, coalesce(gone.reasoning_tokens, 0), true,
      CASE WHEN said.characters = 0 THEN gone.cost END
    FROM gone CROSS JOIN LATERAL (
      SELECT coalesce(sum(char_length(payload->>'text')), 0)::bigint AS characters FROM run_events
      WHERE run_events.tenant_id = gone.tenant_id AND run_events.run_id = gone.id AND run_events.kind = 'delta'
      AND run_events.seq > gone.turn_seq AND gone.status = 'running'
    ) said
    WHERE gone.finished_at IS NULL AND gone.generation > 0;
  DELETE FROM run_events USING gone WHERE run_events.tenant_id = gone.tenant_id AND run_events.run_id = gone.id;
  RETURN NULL;
END $$
"""


def _made_before(name: str) -> str:
    """A function as the migration before last made it."""
    script: Any = op.get_context().script
    made: str = getattr(script.get_revision("20261121_runs").module, name)
    return made.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION")


def _live_is(live: str, statuses: str) -> None:
    """Which runs are live. The indexes hold those alone: to build them, the table is read once, and not sorted."""
    for name in ("status", "finished_at"):
        op.drop_constraint(op.f(f"ck_runs_{name}"), "runs", type_="check")
    op.create_check_constraint(op.f("ck_runs_status"), "runs", statuses)
    op.create_check_constraint(op.f("ck_runs_finished_at"), "runs", f"(finished_at is null) = ({live})")
    op.drop_index("uq_runs_active", "runs")
    op.drop_index("ix_runs_live", "runs")
    op.create_index(
        "uq_runs_active", "runs", ["tenant_id", "session_id"], unique=True,
        postgresql_where=sa.text(f"{live} and not waiting"),
    )  # fmt: skip
    op.create_index("ix_runs_live", "runs", ["created_at"], postgresql_where=sa.text(live))


def upgrade() -> None:
    tools = postgresql.JSONB(astext_type=sa.Text())
    op.add_column("runs", sa.Column("tools", tools, server_default=sa.text("'[]'::jsonb"), nullable=False))
    op.add_column("runs", sa.Column("turns", sa.Integer(), server_default=sa.text("1"), nullable=False))
    op.add_column("runs", sa.Column("turn_seq", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.add_column("runs", sa.Column("turn_generation", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.create_check_constraint(op.f("ck_runs_tools_size"), "runs", "pg_column_size(tools) <= 8388608")
    op.create_check_constraint(
        op.f("ck_runs_turns"), "runs", "turns between 1 and 25 and turn_seq >= 0 and turn_generation >= 0"
    )
    _live_is(_LIVE, f"status in ('queued', 'running', 'requires_action', {_ENDED})")
    op.create_table(
        "run_turns",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("first_seq", sa.Integer(), nullable=False),
        sa.Column("last_seq", sa.Integer(), nullable=False),
        sa.CheckConstraint("0 <= first_seq and first_seq <= last_seq", name=op.f("ck_run_turns_lines")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "run_id"],
            ["runs.tenant_id", "runs.id"],
            name=op.f("fk_run_turns_tenant_id_run_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "message_id", name=op.f("pk_run_turns")),
    )
    op.create_index(op.f("ix_run_turns_tenant_id_run_id"), "run_turns", ["tenant_id", "run_id"])
    op.execute(_FORGET_ANSWER)
    op.execute(_FORGET_LINES)


def downgrade() -> None:
    op.execute(_made_before("_FORGET_ANSWER"))
    op.execute(_made_before("_FORGET_LINES"))
    # The release before knows neither the status nor the line.
    op.execute("UPDATE runs SET status = 'cancelled', finished_at = now() WHERE status = 'requires_action'")
    op.execute("""UPDATE run_events SET kind = 'delta', payload = '{"text": ""}' WHERE kind = 'turn'""")
    op.drop_table("run_turns")
    _live_is(_LIVE_BEFORE, f"status in ('queued', 'running', {_ENDED})")
    for column in ("turn_generation", "turn_seq", "turns", "tools"):
        op.drop_column("runs", column)
