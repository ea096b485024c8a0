"""Waiting for the answer to a prompt: by what its followers are told, with no connection held."""

import asyncio
from contextlib import aclosing

from app.core.actor import Actor
from app.core.errors import AppError
from app.execution.values import NoLongerFollowed, StillRunning
from app.runs.following import Completions
from app.runs.values import RunId


async def wait_for_end(
    completions: Completions, actor: Actor, run_id: RunId, at_most_seconds: float
) -> StillRunning | NoLongerFollowed | None:
    """Return when a run has ended, however it did; a warning where that could not be seen.

    The run is stored: whatever happens to the wait, cancelled ones included, happens to the wait alone.
    """
    try:
        async with asyncio.timeout(at_most_seconds), aclosing(completions.follow(actor, run_id, None)) as events:
            async for _ in events:
                pass
    except TimeoutError:
        return StillRunning(at_most_seconds)
    except AppError as error:
        return NoLongerFollowed(error.message)
    return None
