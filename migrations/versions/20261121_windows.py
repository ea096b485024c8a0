"""Runs know what their models have in view, and what was left out."""

import sqlalchemy as sa
from alembic import op

revision = "20261121_windows"
down_revision = "20261121_prompts"
branch_labels = None
depends_on = None

_WINDOW = "window_budget_tokens > 0 and window_messages >= 0 and left_out_messages >= 0 and left_out_tokens >= 0"


def upgrade() -> None:
    op.add_column("runs", sa.Column("window_budget_tokens", sa.Integer(), nullable=True))
    op.add_column("runs", sa.Column("window_messages", sa.Integer(), nullable=True))
    op.add_column("runs", sa.Column("left_out_messages", sa.Integer(), nullable=True))
    op.add_column("runs", sa.Column("left_out_tokens", sa.Integer(), nullable=True))
    op.create_check_constraint(op.f("ck_runs_window"), "runs", _WINDOW)


def downgrade() -> None:
    op.drop_constraint(op.f("ck_runs_window"), "runs", type_="check")
    for column in ("left_out_tokens", "left_out_messages", "window_messages", "window_budget_tokens"):
        op.drop_column("runs", column)
