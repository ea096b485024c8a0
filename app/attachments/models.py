"""The table of attachments."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, LargeBinary, func
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, bounded


class MessageAttachment(Base):
    """One file of a message. Never updated; gone with its message, or when that becomes a tombstone.

    `data` is stored as it is (STORAGE EXTERNAL), so that a part of it is read without the rest; only downloads read it.
    """

    __tablename__ = "message_attachments"
    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "message_id"], ["chat_messages.tenant_id", "chat_messages.id"], ondelete="CASCADE"
        ),
        Index(None, "tenant_id", "message_id"),
        CheckConstraint("char_length(file_name) between 1 and 255", name="file_name_length"),
        *bounded(content_type=255),
        CheckConstraint("size between 0 and 10485760", name="size"),
        CheckConstraint("octet_length(data) = size", name="data_length"),
        CheckConstraint("octet_length(sha256) = 32", name="sha256_length"),
    )
    node_type = "MessageAttachment"
    session_id: ClassVar[UUID]
    """No column: the statements that add and delete give it, so that those who follow the session can be told."""

    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    message_id: Mapped[UUID]
    file_name: Mapped[str]
    content_type: Mapped[str]
    size: Mapped[int]
    """In bytes."""
    sha256: Mapped[bytes] = mapped_column(LargeBinary)
    data: Mapped[bytes] = mapped_column(LargeBinary)
    uploaded_at: Mapped[datetime] = mapped_column(server_default=func.now())

    @property
    def digest(self) -> str:
        """SHA-256 of the content, in hexadecimal digits."""
        return self.sha256.hex()

    @property
    def url(self) -> str:
        """Where it is downloaded, on this server."""
        return f"/attachments/{self.global_id}"
