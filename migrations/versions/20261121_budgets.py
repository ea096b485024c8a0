"""Budgets, what is spent of them, and what is reserved for runs that go on."""

import sqlalchemy as sa
from alembic import op

revision = "20261121_budgets"
down_revision = "20261121_windows"
branch_labels = None
depends_on = None

# Runs that end by the deletion of what they hang on are settled here: what was read and written in the turn is priced
# as it was reserved, for the price list is not known here. Rows of usage are locked in the order of their key, as
# everywhere.
_SETTLE_BUDGETS = """
CREATE FUNCTION settle_budgets(tenants text[], ended uuid[], tokens_read bigint[], tokens_written bigint[])
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM 1 FROM budget_usage
    JOIN budget_reservations AS held USING (tenant_id, budget_id, period_start, user_id, model)
    JOIN unnest(tenants, ended) AS given (tenant_id, run_id)
      ON held.tenant_id = given.tenant_id AND held.run_id = given.run_id
    ORDER BY budget_usage.tenant_id, budget_usage.budget_id, budget_usage.period_start, budget_usage.user_id,
      budget_usage.model
    FOR NO KEY UPDATE OF budget_usage;
  UPDATE budget_usage SET
      spent_cost = spent_cost + moved.cost, spent_tokens = spent_tokens + moved.tokens,
      unpriced_tokens = budget_usage.unpriced_tokens + moved.unpriced_tokens,
      reserved_cost = greatest(reserved_cost - moved.held_cost, 0),
      reserved_tokens = greatest(reserved_tokens - moved.held_tokens, 0)
    FROM (
      SELECT held.tenant_id, held.budget_id, held.period_start, held.user_id, held.model,
        sum(coalesce(CASE WHEN given.tokens_read > 0 THEN held.prompt_cost ELSE 0 END
          + held.output_cost * given.tokens_written / greatest(held.output_tokens, 1), 0)) AS cost,
        sum(given.tokens_read + given.tokens_written) AS tokens,
        sum(CASE WHEN held.prompt_cost IS NULL THEN given.tokens_read + given.tokens_written ELSE 0 END)
          AS unpriced_tokens,
        sum(coalesce(held.prompt_cost + held.output_cost, 0)) AS held_cost,
        sum(held.prompt_tokens + held.output_tokens) AS held_tokens
      FROM budget_reservations AS held
      JOIN unnest(tenants, ended, tokens_read, tokens_written)
        AS given (tenant_id, run_id, tokens_read, tokens_written)
        ON held.tenant_id = given.tenant_id AND held.run_id = given.run_id
      GROUP BY 1, 2, 3, 4, 5
    ) AS moved
    WHERE budget_usage.tenant_id = moved.tenant_id AND budget_usage.budget_id = moved.budget_id
    AND budget_usage.period_start = moved.period_start AND budget_usage.user_id = moved.user_id
    AND budget_usage.model = moved.model;
  DELETE FROM budget_reservations AS held USING unnest(tenants, ended) AS given (tenant_id, run_id)
    WHERE held.tenant_id = given.tenant_id AND held.run_id = given.run_id;
END $$
"""
# The ledger has what the run as a whole has used, its row what the turns before this one did, which are settled.
_SETTLE = """
  PERFORM settle_budgets(array_agg(run.tenant_id), array_agg(run.id),
      array_agg(greatest(coalesce(entry.input_tokens - coalesce(run.input_tokens, 0), 0), 0)),
      array_agg(greatest(coalesce(entry.output_tokens - coalesce(run.output_tokens, 0), 0), 0)))
    FROM {runs} AS run LEFT JOIN usage_ledger AS entry ON entry.tenant_id = run.tenant_id AND entry.run_id = run.id
    WHERE {ended} AND EXISTS (
      SELECT FROM budget_reservations AS held WHERE held.tenant_id = run.tenant_id AND held.run_id = run.id
    ) HAVING count(*) > 0;
"""
_SETTLE_DELETED = f"""
CREATE FUNCTION settle_deleted_runs() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  {_SETTLE.format(runs="gone", ended="true")}
  RETURN NULL;
END $$
"""
_SETTLE_ANSWER = f"""
CREATE FUNCTION settle_answer() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  {
    _SETTLE.format(
        runs="runs",
        ended="run.tenant_id = NEW.tenant_id AND run.message_id = NEW.id AND run.finished_at IS NOT NULL",
    )
}
  RETURN NULL;
END $$
"""
# Triggers of one event run in the order of their names: these follow forget_lines and forget_answer, which write the
# ledger.
_ON_DELETION = """
CREATE TRIGGER settle_deleted_runs AFTER DELETE ON runs REFERENCING OLD TABLE AS gone
FOR EACH STATEMENT EXECUTE FUNCTION settle_deleted_runs()
"""
_ON_TOMBSTONE = """
CREATE TRIGGER settle_answer AFTER UPDATE OF deleted_at ON chat_messages
FOR EACH ROW WHEN (OLD.deleted_at IS NULL AND NEW.deleted_at IS NOT NULL) EXECUTE FUNCTION settle_answer()
"""


def _cost(name: str, *, nullable: bool) -> sa.Column[object]:
    return sa.Column(name, sa.Numeric(precision=20, scale=10), nullable=nullable)


def _whose() -> list[sa.Column[object]]:
    return [
        sa.Column("user_id", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("model", sa.Text(), server_default=sa.text("''"), nullable=False),
    ]


def upgrade() -> None:
    op.create_table(
        "budgets",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        *_whose(),
        sa.Column("period", sa.Text(), nullable=False),
        _cost("limit_cost", nullable=True),
        sa.Column("limit_tokens", sa.BigInteger(), nullable=True),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("scope in ('tenant', 'user', 'model')", name=op.f("ck_budgets_scope")),
        sa.CheckConstraint("period in ('day', 'month')", name=op.f("ck_budgets_period")),
        sa.CheckConstraint(
            "(user_id = '' or scope = 'user') and (model = '' or scope = 'model')", name=op.f("ck_budgets_subject")
        ),
        sa.CheckConstraint("coalesce(limit_cost, limit_tokens) is not null", name=op.f("ck_budgets_limits")),
        sa.CheckConstraint("limit_cost >= 0 and limit_tokens >= 0", name=op.f("ck_budgets_amounts")),
        sa.CheckConstraint("char_length(model) <= 255", name=op.f("ck_budgets_model_length")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_budgets")),
    )
    op.create_index("uq_budgets_subject", "budgets", ["tenant_id", "user_id", "model", "scope", "period"], unique=True)
    op.create_table(
        "budget_usage",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("budget_id", sa.Uuid(), nullable=False),
        sa.Column("period_start", sa.DateTime(timezone=True), nullable=False),
        *_whose(),
        _cost("spent_cost", nullable=False),
        sa.Column("spent_tokens", sa.BigInteger(), nullable=False),
        sa.Column("unpriced_tokens", sa.BigInteger(), nullable=False),
        _cost("reserved_cost", nullable=False),
        sa.Column("reserved_tokens", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "spent_cost >= 0 and spent_tokens >= 0 and unpriced_tokens >= 0", name=op.f("ck_budget_usage_spent")
        ),
        sa.CheckConstraint("reserved_cost >= 0 and reserved_tokens >= 0", name=op.f("ck_budget_usage_reserved")),
        sa.PrimaryKeyConstraint(
            "tenant_id", "budget_id", "period_start", "user_id", "model", name=op.f("pk_budget_usage")
        ),
        postgresql_with={"fillfactor": "50"},
    )
    op.create_table(
        "budget_reservations",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("budget_id", sa.Uuid(), nullable=False),
        sa.Column("period_start", sa.DateTime(timezone=True), nullable=False),
        *_whose(),
        sa.Column("prompt_tokens", sa.BigInteger(), nullable=False),
        _cost("prompt_cost", nullable=True),
        sa.Column("output_tokens", sa.BigInteger(), nullable=False),
        _cost("output_cost", nullable=True),
        sa.CheckConstraint("prompt_tokens >= 0 and output_tokens >= 0", name=op.f("ck_budget_reservations_tokens")),
        sa.CheckConstraint("prompt_cost >= 0 and output_cost >= 0", name=op.f("ck_budget_reservations_costs")),
        sa.PrimaryKeyConstraint("tenant_id", "run_id", "budget_id", name=op.f("pk_budget_reservations")),
    )
    for statement in (_SETTLE_BUDGETS, _SETTLE_DELETED, _SETTLE_ANSWER, _ON_DELETION, _ON_TOMBSTONE):
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TRIGGER settle_answer ON chat_messages")
    op.execute("DROP TRIGGER settle_deleted_runs ON runs")
    op.execute("DROP FUNCTION settle_answer")
    op.execute("DROP FUNCTION settle_deleted_runs")
    op.execute("DROP FUNCTION settle_budgets")
    op.drop_table("budget_reservations")
    op.drop_table("budget_usage")
    op.drop_table("budgets")
