"""Runs whose answer is to fit a JSON Schema, and whose end is told by a job."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "20261121_structured_runs"
down_revision = "20261121_project_sessions"
branch_labels = None
depends_on = None


def upgrade() -> None:

    op.add_column("runs", sa.Column("output", postgresql.JSONB(astext_type=sa.Text()), nullable=True))
    op.add_column("runs", sa.Column("on_end", sa.Text(), nullable=True))
    op.create_check_constraint(op.f("ck_runs_output_size"), "runs", "pg_column_size(output) <= 8388608")
    op.create_check_constraint(op.f("ck_runs_on_end_length"), "runs", "char_length(on_end) <= 50")


def downgrade() -> None:
    op.drop_column("runs", "on_end")
    op.drop_column("runs", "output")
