"""Reads of API keys: to be shown, and to let somebody in."""

from collections.abc import Collection, Sequence
from functools import lru_cache
from uuid import UUID

from sqlalchemy import ARRAY, Boolean, ColumnElement, Select, Text, Uuid, any_, func, or_, select

from app.core.actor import Actor
from app.core.paging import ListName, Page, PageRequest
from app.db.database import Database
from app.db.pages import Order, PageShape
from app.db.scopes import ReadScope
from app.db.statement import Query, param
from app.graph.loading import Loader
from app.identity.fragments import api_keys, given_keys
from app.identity.models import ApiKey
from app.identity.values import ApiKeyId, KeyRef

_TENANT = param("tenant_id", Text)
_OWN = api_keys.c.user_id == param("user_id", Text)
_LIST = ListName("apiKeys")
_BY_AGE = Order((api_keys.c.id,), (UUID,))

_SHOWN = [column for column in api_keys.c if column.name != "digest"]


def _readable(*, all_users: bool) -> ColumnElement[bool]:
    """One's own, or all of the tenant's: two statements, so that each has its index."""
    of_tenant = api_keys.c.tenant_id == _TENANT
    return of_tenant if all_users else of_tenant & _OWN


@lru_cache(maxsize=16)
def _page(shape: PageShape, all_users: bool) -> Query[ApiKey]:
    rows: Select[tuple[object, ...]] = select(*_SHOWN).where(_readable(all_users=all_users))
    return Query(ApiKey, _BY_AGE.page(rows, shape))


@lru_cache(maxsize=2)
def _count(all_users: bool) -> Query[int]:
    counted = select(func.count().label("count")).select_from(api_keys)
    return Query(int, counted.where(_readable(all_users=all_users)))


_BY_IDS = Query(
    ApiKey,
    select(*_SHOWN).where(
        api_keys.c.tenant_id == _TENANT,
        api_keys.c.id == any_(param("ids", ARRAY(Uuid))),
        or_(param("is_admin", Boolean), _OWN),
    ),
)

_STORED = Query(ApiKey, select(*api_keys.c).where(api_keys.c.tenant_id == _TENANT, api_keys.c.id == param("id", Uuid)))


def _not_revoked() -> Query[UUID]:
    given = given_keys()
    return Query(
        UUID,
        select(api_keys.c.id)
        .join(given, (api_keys.c.tenant_id == given.c.tenant_id) & (api_keys.c.id == given.c.id))
        .where(api_keys.c.revoked_at.is_(None)),
    )


_NOT_REVOKED = _not_revoked()


class ApiKeyById(Loader[ApiKeyId, ApiKey | None]):
    """The actor's keys, for an admin all of the tenant; None for any other id."""

    async def fetch(self, scope: ReadScope, actor: Actor, keys: list[ApiKeyId]) -> Sequence[ApiKey | None]:
        """One statement for all ids."""
        found = {row.id: row for row in await scope.all(_BY_IDS, ids=keys, **actor.as_reader())}
        return [found.get(key) for key in keys]


async def page_of_keys(database: Database, actor: Actor, request: PageRequest) -> Page[ApiKey]:
    """A page of the actor's keys, for an admin of all the tenant's, oldest first; InvalidCursor."""
    all_users = actor.is_admin
    readable = {"tenant_id": actor.tenant_id} if all_users else actor.as_owner()
    position = _BY_AGE.parameters(request, _LIST)

    async def count() -> int:
        async with database.read() as scope:
            return await scope.first(_count(all_users), **readable) or 0

    async with database.read() as scope:
        found = await scope.all(_page(PageShape.of(request), all_users), **readable, **position)
    return Page.of(found, request, lambda row: _LIST.encode((row.id,)), count)


async def stored_key(scope: ReadScope, ref: KeyRef) -> ApiKey | None:
    """What is stored of a key, with its digest; one read of a row by its key."""
    return await scope.first(_STORED, tenant_id=ref.tenant_id, id=ref.id)


async def not_revoked(scope: ReadScope, refs: Collection[KeyRef]) -> set[UUID]:
    """Which of these keys, of any tenants, are there and not revoked; one statement."""
    return set(await scope.all(_NOT_REVOKED, tenants=[ref.tenant_id for ref in refs], ids=[ref.id for ref in refs]))
