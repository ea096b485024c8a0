"""Who acts: a user inside a tenant, and the correlation id under which it happens."""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType
from uuid import UUID

TenantId = NewType("TenantId", str)
UserId = NewType("UserId", str)
CorrelationId = NewType("CorrelationId", str)

NOBODY = UserId("erased user")
"""In the place of a name. It has a space, as no name has."""

CORRELATION_ID = re.compile(r"[A-Za-z0-9._:/+=-]{1,128}")
"""What is taken over from a client: it goes into logs, headers, rows and statements, and can break out of none."""


class Role(StrEnum):
    """What a user may do inside the tenant; roles add up."""

    MEMBER = "member"
    EDITOR = "editor"
    REVIEWER = "reviewer"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Actor:
    """On whose behalf something is done. Every statement names `tenant_id`; rows of sessions also `user_id`."""

    tenant_id: TenantId
    user_id: UserId
    roles: frozenset[Role]
    correlation_id: CorrelationId
    expires_at: datetime | None = None
    """In UTC: when what they showed to come in ends. A connection that lives longer is closed then."""
    may_write: bool = True
    """False for a key that was made for reading: no mutation, whatever the roles allow."""
    key_id: UUID | None = None
    """The API key that let them in, where it was one."""

    @property
    def is_admin(self) -> bool:
        """Whether the actor may read what other users of the tenant own."""
        return Role.ADMIN in self.roles

    def as_owner(self) -> dict[str, object]:
        """The parameters of statements that write what the actor owns."""
        return {"tenant_id": self.tenant_id, "user_id": self.user_id}

    def as_reader(self) -> dict[str, object]:
        """The parameters of statements that read what the actor may see."""
        return {"tenant_id": self.tenant_id, "user_id": self.user_id, "is_admin": self.is_admin}
