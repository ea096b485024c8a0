"""Bounds and defaults of names."""

import re

from app.core.actor import Role, TenantId, UserId

DEFAULT_TENANT = TenantId("default")
SYSTEM_USER = UserId("system")
"""Who acts where authentication is off and nobody else is named (S0-14); may read what others own."""

ALL_ROLES = frozenset(Role)
USER_ROLES = ALL_ROLES - {Role.ADMIN}

USER_HEADER = "x-colloquy-user"
CORRELATION_HEADER = "x-correlation-id"

PRINTABLE_NAME = re.compile(r"[^\s@\x00-\x1f\x7f]{1,128}")
"""A user or a tenant in the development header."""
