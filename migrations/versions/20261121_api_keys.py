"""API keys: who comes in by them, what they are for, and of their text a digest alone."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "20261121_api_keys"
down_revision = "20261121_generated_prompts"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "api_keys",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("roles", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_by", sa.Text(), nullable=True),
        sa.CheckConstraint("scope in ('read', 'write', 'admin')", name=op.f("ck_api_keys_scope")),
        sa.CheckConstraint("cardinality(roles) <= 16", name=op.f("ck_api_keys_roles_count")),
        sa.CheckConstraint("('admin' = any(roles)) = (scope = 'admin')", name=op.f("ck_api_keys_admin")),
        sa.CheckConstraint("octet_length(digest) = 32", name=op.f("ck_api_keys_digest_size")),
        sa.CheckConstraint("(revoked_at is null) = (revoked_by is null)", name=op.f("ck_api_keys_revocation")),
        sa.CheckConstraint("char_length(name) <= 200", name=op.f("ck_api_keys_name_length")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_api_keys")),
    )
    op.create_index(op.f("ix_api_keys_tenant_id_user_id_id"), "api_keys", ["tenant_id", "user_id", "id"])


def downgrade() -> None:
    op.drop_index(op.f("ix_api_keys_tenant_id_user_id_id"), table_name="api_keys")
    op.drop_table("api_keys")
