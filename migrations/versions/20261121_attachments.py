"""Keep the files of messages."""

import sqlalchemy as sa
from alembic import op

revision = "20261121_attachments"
down_revision = "20261121_branches"
branch_labels = None
depends_on = None


# A tombstone keeps its number and its place and nothing else. The room of messages does not know what hangs on them.
_FORGET_ATTACHMENTS = """
CREATE FUNCTION forget_attachments() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM message_attachments WHERE tenant_id = NEW.tenant_id AND message_id = NEW.id;
  RETURN NULL;
END $$
"""
_ON_TOMBSTONE = """
CREATE TRIGGER forget_attachments AFTER UPDATE OF deleted_at ON chat_messages
FOR EACH ROW WHEN (OLD.deleted_at IS NULL AND NEW.deleted_at IS NOT NULL) EXECUTE FUNCTION forget_attachments()
"""


def upgrade() -> None:
    # The column costs nothing: rows that are there read its default. The constraint reads the table once, while its
    # writers wait: a second or two for each GB.
    op.add_column(
        "chat_messages", sa.Column("attachment_count", sa.SmallInteger(), server_default=sa.text("0"), nullable=False)
    )
    op.create_check_constraint(
        op.f("ck_chat_messages_attachment_count"), "chat_messages", "attachment_count between 0 and 32"
    )
    op.create_table(
        "message_attachments",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("content_type", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("uploaded_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("char_length(content_type) <= 255", name=op.f("ck_message_attachments_content_type_length")),
        sa.CheckConstraint(
            "char_length(file_name) between 1 and 255", name=op.f("ck_message_attachments_file_name_length")
        ),
        sa.CheckConstraint("octet_length(data) = size", name=op.f("ck_message_attachments_data_length")),
        sa.CheckConstraint("octet_length(sha256) = 32", name=op.f("ck_message_attachments_sha256_length")),
        sa.CheckConstraint("size between 0 and 10485760", name=op.f("ck_message_attachments_size")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "message_id"],
            ["chat_messages.tenant_id", "chat_messages.id"],
            name=op.f("fk_message_attachments_tenant_id_message_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_message_attachments")),
    )
    op.create_index(
        op.f("ix_message_attachments_tenant_id_message_id"),
        "message_attachments",
        ["tenant_id", "message_id"],
        unique=False,
    )
    # Out of line and not compressed: a part is then read by its pages alone. Pictures and archives compress no further.
    op.execute("ALTER TABLE message_attachments ALTER COLUMN data SET STORAGE EXTERNAL")
    op.execute(_FORGET_ATTACHMENTS)
    op.execute(_ON_TOMBSTONE)


def downgrade() -> None:
    op.execute("DROP TRIGGER forget_attachments ON chat_messages")
    op.execute("DROP FUNCTION forget_attachments")
    op.drop_table("message_attachments")
    op.drop_column("chat_messages", "attachment_count")
