"""Which generated prompt of a project an execution was of."""

import sqlalchemy as sa
from alembic import op

revision = "20261121_generated_prompts"
down_revision = "20261121_stage_templates"
branch_labels = None
depends_on = None


def upgrade() -> None:

    op.add_column("prompt_executions", sa.Column("prompt_generation_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f("fk_prompt_executions_tenant_id_prompt_generation_id"),
        "prompt_executions",
        "workflow_stages",
        ["tenant_id", "prompt_generation_id"],
        ["tenant_id", "id"],
        ondelete="SET NULL (prompt_generation_id)",
    )
    op.create_index(
        "ix_prompt_executions_generated",
        "prompt_executions",
        ["tenant_id", "prompt_generation_id", "created_at", "id"],
        postgresql_where=sa.text("prompt_generation_id is not null"),
    )


def downgrade() -> None:
    op.drop_column("prompt_executions", "prompt_generation_id")
