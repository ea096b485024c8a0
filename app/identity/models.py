"""The table of API keys."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, LargeBinary, func
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, bounded
from app.identity.values import LONGEST_NAME, SECRET_BYTES


class ApiKey(Base):
    """A key that lets its user in. Only `last_used_at` and its revocation are ever written to it, the latter once.

    A key that was revoked or has expired stays, to be read: who made it, who revoked it, when it was used last.
    """

    __tablename__ = "api_keys"
    __table_args__ = (
        Index(None, "tenant_id", "user_id", "id"),
        CheckConstraint("scope in ('read', 'write', 'admin')", name="scope"),
        CheckConstraint("cardinality(roles) <= 16", name="roles_count"),
        # Who has the role by a key has a key of that scope: what asks for the role asks for the scope.
        CheckConstraint("('admin' = any(roles)) = (scope = 'admin')", name="admin"),
        CheckConstraint(f"octet_length(digest) = {SECRET_BYTES}", name="digest_size"),
        CheckConstraint("(revoked_at is null) = (revoked_by is null)", name="revocation"),
        *bounded(name=LONGEST_NAME),
    )
    node_type = "ApiKey"

    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[str]
    """Whose it is: whom it lets in."""
    name: Mapped[str]
    scope: Mapped[str]
    roles: Mapped[list[str]]
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    """What is stored of its text: see `KeyDigests`. Never shown."""
    created_by: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    last_used_at: Mapped[datetime | None]
    """To the minute."""
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    revoked_by: Mapped[str | None]
