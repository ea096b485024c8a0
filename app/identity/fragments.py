"""The table of API keys, and keys that are given as lists."""

from typing import Any

from sqlalchemy import ARRAY, Text, Uuid, func

from app.db.base import table_of
from app.db.statement import param
from app.identity.models import ApiKey

api_keys = table_of(ApiKey)


def given_keys(*more: Any, names: tuple[str, ...] = ()) -> Any:
    """Rows of a tenant and an id, of any tenants, with `more` beside them. Parameters: tenants, ids."""
    lists = func.unnest(param("tenants", ARRAY(Text)), param("ids", ARRAY(Uuid)), *more)
    return lists.table_valued("tenant_id", "id", *names).render_derived(name="given")
