"""The table of client keys."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, LargeBinary, func
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base


class ClientKeyRow(Base):
    """One request that a client marked with a key, and the row it made or changed. Never updated.

    A key is forgotten some time after `created_at`; at infinity it is one that lasts.
    """

    __tablename__ = "client_keys"
    __table_args__ = (
        # For the purge of old keys, which is every tenant's.
        Index("ix_client_keys_created_at", "created_at"),
        CheckConstraint("char_length(key) between 1 and 200", name="key_length"),
    )

    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    body_hash: Mapped[bytes] = mapped_column(LargeBinary)
    subject_id: Mapped[UUID]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
