"""Find what a request did by its correlation id."""

from alembic import op

revision = "20261121_traces"
down_revision = "20261121_budgets"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_events_tenant_id_correlation_id_at", "events", ["tenant_id", "correlation_id", "at"])


def downgrade() -> None:
    op.drop_index("ix_events_tenant_id_correlation_id_at", table_name="events")
