"""Databases that hold something already: filled once for a file of tests, and cloned for each of them."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from app.db.database import Database
from tests.client import GraphQLClient, client_of
from tests.conftest import address_of, copied
from tests.worlds import ClientAs

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Filled(Generic[T]):
    """A database to clone, and what was told of its contents when they were stored."""

    template: str
    told: T


def filled(cluster: str, template: str, services: Any, fill: Callable[[ClientAs], Awaitable[T]]) -> Filled[T]:
    """A copy of `template` in which `fill` has stored something, by clients of whoever it names; for fixtures alone."""

    async def make() -> Filled[T]:
        name = await copied(cluster, template, prefix="filled")
        async with AsyncExitStack() as stack:
            database = await Database.connect(address_of(cluster, name))
            stack.push_async_callback(database.close)

            async def client_as(user: str) -> GraphQLClient:
                return await stack.enter_async_context(client_of(database, services, user))

            return Filled(name, await fill(client_as))

    return asyncio.run(make())
