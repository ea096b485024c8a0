"""Who goes on from the end of a run: the job that is added with it. And what the answer of a run is to be."""

from typing import Any

import orjson
import pytest

from app.core.actor import Actor
from app.core.ids import new_id
from app.db.database import Database
from app.db.scopes import UnitOfWork
from app.graph.loading import Loaders
from app.jobs.values import JobKind
from app.llm.port import OutputSchema
from app.runs import repository, service
from app.runs.accounts import Accounts
from app.runs.conversation import load_question
from app.runs.errors import NothingToRetry
from app.runs.models import Run
from app.runs.pipeline import RunPipeline
from app.runs.values import Asked, Ending, OnBusy, RunId, RunRef, RunStatus, Terms, Wanted
from app.sessions.values import SessionId
from tests.conversations import new_session, rows
from tests.fakes import in_view
from tests.llm.provider_servers import ProviderServer, openai_answer
from tests.runs.conftest import Process
from tests.runs.scenes import ask, end, end_of, message_of, row_of

NEXT = JobKind("next-step")
CITIES = OutputSchema("cities", {"type": "object", "properties": {"population": {}, "city": {}}})
WANTED = Wanted("local:echo", 0.5, 900, output=CITIES, on_end=NEXT)

ENDS = [RunStatus.COMPLETED, RunStatus.FAILED, RunStatus.CANCELLED, RunStatus.INTERRUPTED]


class Undone(Exception):
    """Something went wrong behind the end."""


async def asked(runs: RunPipeline, database: Database, actor: Actor, wanted: Wanted = WANTED) -> Run:
    """A new run in a session of its own."""
    into = await new_session(database, actor)
    return (await runs.send(database, actor, Asked(into, "Which cities?", wanted), None)).run


async def jobs(dsn: str) -> list[tuple[RunRef, str]]:
    """The jobs that go on from the ends of runs, with their keys."""
    found = await rows(dsn, "SELECT payload, dedupe_key FROM pgqueuer WHERE entrypoint = $1 ORDER BY id", NEXT)
    return [(service.run_of(row["payload"]), row["dedupe_key"]) for row in found]


def job_of(run: Run) -> tuple[RunRef, str]:
    """The job that goes on from the end of a run."""
    return service.ref_of(run), f"{NEXT}:{run.id}"


async def claimed(database: Database, services: Any, run: Run) -> service.Claimed:
    """A run that a worker has."""
    ref = service.ref_of(run)
    found = await database.transact(lambda uow: service.claim(uow, services[Accounts], ref, in_view(3)))
    assert found is not None
    return found


async def test_job_is_added_with_the_end_however_a_run_ends(
    runs: RunPipeline, services: Any, database: Database, actor: Actor, dsn: str
) -> None:
    ended = [await asked(runs, database, actor) for _ in ENDS]
    silent = await asked(runs, database, actor, Wanted("local:echo"))
    assert await jobs(dsn) == []

    for run, status in zip(ended, ENDS, strict=True):
        await end(database, services[Accounts], actor, run, status)
    await end(database, services[Accounts], actor, silent, RunStatus.COMPLETED)

    assert await jobs(dsn) == [job_of(run) for run in ended]


async def test_every_way_to_end_a_run_adds_the_job(
    runs: RunPipeline, services: Any, database: Database, actor: Actor, dsn: str
) -> None:
    accounts = services[Accounts]
    cancelled, interrupted, given_up, called_off = [await asked(runs, database, actor) for _ in range(4)]
    resting = await claimed(database, services, called_off)
    await claimed(database, services, given_up)

    async def rest(uow: UnitOfWork) -> None:
        await service.finish(uow, accounts, resting, Ending(RunStatus.REQUIRES_ACTION))

    await database.transact(rest)
    assert await jobs(dsn) == []
    for run in (cancelled, called_off):
        await runs.cancel(database, actor, RunId(run.id), None)
        await runs.cancel(database, actor, RunId(run.id), None)
    instead = Asked(
        SessionId(interrupted.session_id), "Or which rivers?", Wanted("local:echo"), on_busy=OnBusy.INTERRUPT
    )
    await runs.send(database, actor, instead, None)
    for _ in range(service.MOST_ATTEMPTS):
        ref = service.ref_of(given_up)
        await database.transact(lambda uow, ref=ref: service.claim(uow, accounts, ref, in_view(3)))  # type: ignore[misc]

    assert await jobs(dsn) == [job_of(run) for run in (cancelled, called_off, interrupted, given_up)]


async def test_job_is_rolled_back_with_the_end(
    runs: RunPipeline, services: Any, database: Database, actor: Actor, dsn: str
) -> None:
    run = await asked(runs, database, actor)

    async def undone(uow: UnitOfWork) -> None:
        found = await service.locked(uow, run)
        assert found is not None
        await service.end(uow, actor, services[Accounts], found, service.CANCELLED)
        raise Undone

    with pytest.raises(Undone):
        await database.transact(undone)

    assert await jobs(dsn) == []
    assert (await row_of(dsn, run))["status"] == "queued"


async def test_what_the_answer_is_to_be_is_asked_of_the_model_and_counted(
    runs: RunPipeline, services: Any, database: Database, actor: Actor
) -> None:
    run = await asked(runs, database, actor)
    windows = runs.models.windows

    async with database.read() as scope:
        terms = await repository.terms_of(scope, service.ref_of(run))
        with_it = await load_question(scope, Loaders(database, actor), run, terms, windows)
        without = await load_question(scope, Loaders(database, actor), run, Terms(), windows)

    assert terms == Terms((), CITIES)
    assert terms.output is not None
    assert list(terms.output.schema["properties"]) == ["population", "city"]
    assert with_it.request_of(run).output == CITIES
    assert without.request_of(run).output is None
    assert with_it.view.use.used_tokens > without.view.use.used_tokens


async def test_worker_asks_for_it_and_adds_the_job(
    asking: Process, server: ProviderServer, actor: Actor, dsn: str
) -> None:
    server.script(openai_answer('{"city": "Rome"}'))

    run = await ask(asking, actor, wanted=Wanted("compatible:scripted", output=CITIES, on_end=NEXT))
    await end_of(asking, actor, run)

    assert server.requests[0].body["response_format"]["json_schema"]["name"] == "cities"
    assert (await message_of(dsn, run))["content"] == '{"city": "Rome"}'
    assert await jobs(dsn) == [job_of(run)]


async def test_retry_keeps_what_the_answer_is_to_be_and_tells_nobody_of_its_end(
    runs: RunPipeline, services: Any, database: Database, actor: Actor, dsn: str
) -> None:
    first = await asked(runs, database, actor)
    await end(database, services[Accounts], actor, first, RunStatus.INTERRUPTED)

    again = (await runs.retry(database, actor, RunId(first.id), None)).run
    await end(database, services[Accounts], actor, again, RunStatus.FAILED)

    stored = await row_of(dsn, again)
    assert (orjson.loads(stored["output"]), stored["on_end"]) == (CITIES.as_json(), None)
    assert (stored["model"], stored["temperature"], stored["max_output_tokens"]) == ("local:echo", 0.5, 900)
    assert await jobs(dsn) == [job_of(first)]


async def test_retry_within_a_transaction_goes_with_it(
    runs: RunPipeline, services: Any, database: Database, actor: Actor, dsn: str
) -> None:
    first = await asked(runs, database, actor)
    new_id_ = RunId(new_id())

    async def undone(uow: UnitOfWork) -> None:
        await runs.retry_within(uow, actor, RunId(first.id), new_id_, on_end=NEXT)
        raise Undone

    async def done(uow: UnitOfWork) -> Run:
        return (await runs.retry_within(uow, actor, RunId(first.id), new_id_, on_end=NEXT)).run

    with pytest.raises(NothingToRetry):
        await database.transact(done)
    await end(database, services[Accounts], actor, first, RunStatus.INTERRUPTED)
    with pytest.raises(Undone):
        await database.transact(undone)
    assert len(await rows(dsn, "SELECT id FROM runs")) == 1
    again = await database.transact(done)
    await end(database, services[Accounts], actor, again, RunStatus.COMPLETED)

    assert (again.id, again.retry_of_id, again.prompt_message_id) == (new_id_, first.id, first.prompt_message_id)
    assert orjson.loads((await row_of(dsn, again))["output"]) == CITIES.as_json()
    assert await jobs(dsn) == [job_of(first), job_of(again)]


async def test_new_session_has_the_title_it_is_given(
    runs: RunPipeline, database: Database, actor: Actor, dsn: str
) -> None:
    await runs.send(database, actor, Asked(None, "What is to be done?", title="Bicycles: planning"), None)
    await runs.send(database, actor, Asked(None, "What is to be done?"), None)

    titles = await rows(dsn, "SELECT title FROM chat_sessions ORDER BY id")
    assert [row["title"] for row in titles] == ["Bicycles: planning", "What is to be done?"]
