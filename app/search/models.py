"""The table of what can be found."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import DDL, CheckConstraint, Index, event, text
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, bounded, table_of


class SearchEntry(Base):
    """The text of one message, or of one session (title, description, tags, summary), as it is compared.

    Triggers of the tables it mirrors write it in their transactions, whoever writes there: a text that is changed or
    deleted is found by its new words, or no more, at once. Nothing else writes it. Messages without text have no row.
    """

    __tablename__ = "search_entries"
    __table_args__ = (
        # One index for all: whose it is and what it says meet inside it, so that a common word of a large tenant costs
        # no more than what the user has of it. Its entries go through a pending list, of which each search reads all:
        # written at once, the 250 trigrams of a message are 160 KB of write-ahead log instead of 5.
        Index(
            "ix_search_entries_body", "tenant_id", "user_id", "session_id", "body",
            postgresql_using="gin", postgresql_ops={"body": "gin_trgm_ops"},
            postgresql_with={"gin_pending_list_limit": 1024},
        ),
        # For what has no trigrams (pictographs), and for words so common that the newest are found by walking.
        Index(None, "tenant_id", "user_id", "id"),
        # The texts of sessions alone: there are a dozen messages to each, which a walk to the newest would pass.
        Index("ix_search_entries_sessions", "tenant_id", "user_id", "id", postgresql_where=text("role is null")),
        CheckConstraint("role in ('system', 'user', 'assistant', 'tool')", name="role"),
        # Three times what is indexed of a text, and five texts: a session's; the function cuts before this refuses.
        *bounded(body=200_000),
    )  # fmt: skip

    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    """The message's, or the session's own."""
    session_id: Mapped[UUID]
    user_id: Mapped[str]
    """Whose session it is: that never changes."""
    role: Mapped[str | None]
    """Who speaks; null for a session's own text."""
    at: Mapped[datetime]
    """When it was created."""
    body: Mapped[str]
    """What `search_text` makes of the text."""


for _extension in ("pg_trgm", "btree_gin"):
    event.listen(table_of(SearchEntry), "before_create", DDL(f"CREATE EXTENSION IF NOT EXISTS {_extension}"))  # type: ignore[no-untyped-call]
