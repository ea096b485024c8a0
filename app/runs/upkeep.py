"""What is done for all runs by the calendar: give up pieces that nobody needs, and see that none is forgotten."""

from datetime import timedelta
from functools import partial

import structlog

from app.core.actor import Actor, CorrelationId, TenantId, UserId
from app.core.errors import AppError, ErrorCode
from app.core.ids import new_id
from app.core.logging import correlate
from app.db.database import Database
from app.identity.values import USER_ROLES
from app.messages.pipeline import MessagePipeline
from app.messages.values import Completion, MessageId, MessageStatus
from app.runs import repository
from app.runs.turns import Turns
from app.runs.values import RunId, RunRef

log = structlog.get_logger("colloquy.runs")

RUNS_AT_ONCE = 500
"""Their pieces are some hundred thousand rows: below the time limit of a statement."""

FORGOTTEN_AFTER = timedelta(minutes=1)
"""A run that is live for longer is given its turn and a job again; where it has them, that is no change. One that waits
for tools is left alone while there is one to wait for."""


async def compact(database: Database, kept: timedelta) -> None:
    """Give up the pieces of runs that ended longer ago than `kept`: their messages have the whole text."""
    while True:
        async with database.single_statement() as uow:
            if await repository.compact(uow, kept, RUNS_AT_ONCE) < RUNS_AT_ONCE:
                return


async def remind(database: Database, turns: Turns) -> None:
    """See to it that no run stays live for ever, whatever became of its job, its tools or the run before it."""
    async with database.read() as scope:
        forgotten = await repository.forgotten(scope, FORGOTTEN_AFTER, RUNS_AT_ONCE)
    for run in forgotten:
        ref = RunRef(TenantId(run.tenant_id), RunId(run.id))
        await database.transact(partial(turns.remind, ref=ref))


async def abandon(database: Database, messages: MessagePipeline, age: timedelta) -> None:
    """End the messages that an application began and of which nothing came for longer than `age`; text is kept."""
    correlate(correlation := CorrelationId(str(new_id())))
    async with database.read() as scope:
        begun = await repository.begun_before(scope, age, RUNS_AT_ONCE)
    for found in begun:
        actor = Actor(TenantId(found.tenant_id), UserId(found.user_id), USER_ROLES, correlation)
        completion = Completion(
            MessageId(found.id),
            MessageStatus.FAILED,
            error_code=ErrorCode.INTERRUPTED,
            error_message="nobody ended this message in time; what was there is kept",
        )
        try:
            await messages.complete(database, actor, completion, None)
        except AppError as error:
            # Somebody was faster.
            log.info("message_not_abandoned", message_id=str(found.id), reason=error.message)
