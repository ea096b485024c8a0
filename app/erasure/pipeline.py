"""How a user is erased: their runs end, then their rows go, a few thousand at a time."""

from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from uuid import UUID

import structlog

from app.core.actor import Actor, UserId
from app.core.ids import new_id, parse_global_id
from app.core.text import require_length
from app.db.database import Database
from app.db.scopes import UnitOfWork
from app.erasure import repository
from app.erasure.errors import NotYoursToErase
from app.erasure.values import Counted, Erasure
from app.idempotency.service import earlier_subject, first_subject
from app.idempotency.values import ClientKey
from app.identity.pipeline import revoke_all
from app.identity.values import USER_ROLES
from app.jobs.queue import withdraw
from app.runs.errors import RunEnded, RunNotFound
from app.runs.loaders import live_runs_of
from app.runs.pipeline import RunPipeline
from app.runs.service import RUN_JOB
from app.runs.values import RunId
from app.toolbox.service import TOOL_JOB

LONGEST_USER_ID = 128
MOST_JOBS = 1_000

log = structlog.get_logger("colloquy.erasure")


@dataclass(frozen=True, slots=True)
class ErasurePipeline:
    """One per process, without state."""

    runs: RunPipeline

    async def erase(self, database: Database, actor: Actor, user: UserId, key: ClientKey | None) -> Erasure:
        """Erase a user of the actor's tenant; what is there of them afterwards was written after this began.

        Not one transaction, but as many as it takes: a hundred thousand messages are more than one statement may take.
        Each leaves the rest as it was, so that whoever was interrupted does it again and it goes on. The key is used
        with the last, and not by who erases themselves: it would be a row of theirs.
        NotYoursToErase, ValidationError, KeyReused.
        """
        require_length(user, "userId", at_least=1, at_most=LONGEST_USER_ID)
        if not actor.is_admin and actor.user_id != user:
            raise NotYoursToErase
        lasting_key = None if actor.user_id == user else key
        async with database.read() as scope:
            begun_at = await repository.now(scope)
            if await first_subject(scope, actor, lasting_key) is not None:
                return Erasure({}, deduplicated=True)
        # A key that erases its own user is needed to the end: with it the socket would go, and what it has begun.
        kept = actor.key_id if actor.user_id == user else None
        await revoke_all(database, actor.tenant_id, user, kept)
        counted = await self._erase(database, replace(actor, user_id=user, roles=USER_ROLES), begun_at)
        if await database.transact(lambda uow: _end(uow, actor, lasting_key, kept)):
            return Erasure({}, deduplicated=True)
        # Of whom, is what nobody is to know any more.
        log.info("user_erased", rows=dict(counted), correlation_id=actor.correlation_id)
        return Erasure(counted)

    async def _erase(self, database: Database, owner: Actor, begun_at: datetime) -> Counted:
        counted: Counted = Counter()
        while True:
            await self._end_runs(database, owner)
            async with database.single_statement(replayable=True) as uow:
                found = await repository.disown(uow, owner.tenant_id, owner.user_id, begun_at)
            if not found:
                break
            counted += await _sessions(database, owner, found)
        counted += await _events(database, owner)
        counted += await _owned(database, owner, begun_at)
        for table, column in repository.acting_columns():
            async with database.single_statement(replayable=True) as uow:
                counted += await repository.unname(uow, table, column, owner.tenant_id, owner.user_id)
        return counted

    async def _end_runs(self, database: Database, owner: Actor) -> None:
        """Cancel what is being answered, so that no worker writes to it any more."""
        async with database.read() as scope:
            live = await live_runs_of(scope, owner)
        for run_id in live:
            try:
                await self.runs.cancel(database, owner, RunId(run_id), None)
            except (RunEnded, RunNotFound):
                # Somebody was faster.
                continue


async def _sessions(database: Database, owner: Actor, session_ids: list[UUID]) -> Counted:
    """Sessions that are nobody's any more, with all that hangs on them: first their messages, then what is left."""
    counted: Counted = Counter()
    while True:
        async with database.single_statement(replayable=True) as uow:
            erased = await repository.erase_messages(uow, owner.tenant_id, session_ids)
        counted += erased
        if erased["chat_messages"] < repository.MESSAGES_AT_ONCE:
            break
    async with database.single_statement(replayable=True) as uow:
        counted += await repository.erase_sessions(uow, owner.tenant_id, session_ids)
    return counted


async def _events(database: Database, owner: Actor) -> Counted:
    """Events, also those of sessions that were deleted long ago; and the jobs of the runs that they tell of."""
    counted: Counted = Counter()
    while True:
        erased, jobs = await database.transact(partial(_some_events, owner=owner))
        counted.update({"events": erased, "jobs": jobs})
        if erased < repository.ROWS_AT_ONCE:
            return counted


async def _some_events(uow: UnitOfWork, owner: Actor) -> tuple[int, int]:
    batch = await repository.erase_events(uow, owner.tenant_id, owner.user_id)
    jobs = 0
    for kind, node_type, ids in (
        (RUN_JOB, "Run", batch.run_ids or ()),
        (TOOL_JOB, "ToolExecution", batch.execution_ids or ()),
    ):
        subjects = [str(parse_global_id(id_, node_type)) for id_ in ids]
        for start in range(0, len(subjects), MOST_JOBS):
            jobs += await withdraw(uow, kind, subjects[start : start + MOST_JOBS])
    return batch.amount, jobs


async def _owned(database: Database, owner: Actor, begun_at: datetime) -> Counted:
    counted: Counted = Counter()
    for table in repository.owned_tables():
        while True:
            async with database.single_statement(replayable=True) as uow:
                erased = await repository.erase_owned(uow, table, owner.tenant_id, owner.user_id, begun_at)
            counted[table.name] += erased
            if erased < repository.ROWS_AT_ONCE:
                break
    return counted


async def _end(uow: UnitOfWork, actor: Actor, key: ClientKey | None, api_key: UUID | None) -> bool:
    """Use the key, and end what the API key has open that was kept so long; whether the request had come before."""
    if api_key is not None:
        uow.announce(api_key)
    return await earlier_subject(uow, actor, key, new_id()) is not None
