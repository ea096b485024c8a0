"""What is stored in one transaction each, ready to be done, and done again: for tests that have it fail."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import asyncpg

from app.core.errors import AppError
from app.core.ids import global_id, new_id
from app.db.scopes import UnitOfWork
from app.llm.port import ToolCallRequested, Usage
from app.runs import repository
from app.runs import service as runs
from app.runs.accounts import Accounts
from app.runs.graphql import run_id
from app.runs.service import Claimed
from app.runs.turns import Turns, looked_at
from app.runs.values import Ending, RunEntry, RunRef, RunStatus
from tests.client import GraphQLClient
from tests.execution.scenes import greeting
from tests.fakes import in_view
from tests.worlds import add_call, add_execution

COMPLETED = Ending(RunStatus.COMPLETED, None, Usage(input=3, output=2))
WEATHER = {"name": "weather", "description": "Tells the weather.", "parameters": {"type": "object"}}
MASKED = "INTERNAL_SERVER_ERROR"


@dataclass(frozen=True, slots=True)
class Answer:
    """What whoever asked for it is told."""

    code: str | None = None
    """Why not; None when it was done."""
    retryable: bool = False
    hint: str | None = None
    text: str = ""
    """All that is told."""


Again = Callable[[GraphQLClient], Awaitable[Answer]]
"""Does it over the database of a client: the same, however often."""


@dataclass(frozen=True, slots=True)
class Deed:
    """A piece of work on something of its own."""

    ready: Callable[[GraphQLClient], Awaitable[Again]]
    """Makes what it works on."""


def mutation(field: str, given: Callable[[GraphQLClient], Awaitable[dict[str, Any]]]) -> Deed:
    """A root mutation, sent with the same key each time."""

    async def ready(client: GraphQLClient) -> Again:
        input_ = {**await given(client), "clientKey": str(new_id())}

        async def send(over: GraphQLClient) -> Answer:
            kind = field[0].upper() + field[1:]
            query = f"""mutation ($input: {kind}Input!) {{ {field}(input: $input) {{
                success error {{ code message hint retryable details }} }} }}"""
            answered = await over.post(query, {"input": input_})
            answer = answered.json()
            if "errors" in answer:
                [error] = answer["errors"]
                assert error["extensions"]["correlationId"] == answered.headers["x-correlation-id"]
                return Answer(error["extensions"]["code"], text=answered.text)
            payload = answer["data"][field]
            error = payload["error"] or {"code": None, "retryable": False, "hint": None}
            assert payload["success"] is (error["code"] is None)
            return Answer(error["code"], error["retryable"], error["hint"], answered.text)

        return send

    return Deed(ready)


def step(given: Callable[[GraphQLClient], Awaitable[Claimed]], *, called: bool) -> Deed:
    """The end of a turn, as its worker stores it; done again, it finds that it was done."""

    async def ready(client: GraphQLClient) -> Again:
        claimed = await given(client)

        async def finish(over: GraphQLClient) -> Answer:
            context = await over.context()
            turns = context.service(Turns)
            try:
                await context.database.transact(lambda uow: turns.finish(uow, claimed, COMPLETED, called=called))
            except AppError as error:
                return Answer(error.code, error.retryable, error.hint, error.message)
            except asyncpg.PostgresError as error:
                # The run's job is run again by its queue, which logs this.
                return Answer(MASKED, text=str(error.detail))
            return Answer()

        return finish

    return Deed(ready)


async def _new_session(_client: GraphQLClient) -> dict[str, Any]:
    return {"content": "Where to?", "model": "local:echo"}


async def _session(client: GraphQLClient) -> dict[str, Any]:
    return {"sessionId": await client.create_session(), "content": "Where to?", "model": "local:echo"}


async def _prompt(client: GraphQLClient) -> dict[str, Any]:
    """A prompt of a template, which begins a session."""
    template = await greeting(client, f"greeting {new_id()}")
    return {"templateId": template, "variables": {"name": "Ada"}, "model": "local:echo"}


async def _prompt_in_session(client: GraphQLClient) -> dict[str, Any]:
    return {**await _prompt(client), "sessionId": await client.create_session()}


async def _prompt_again(client: GraphQLClient) -> dict[str, Any]:
    """The run of a prompt, to be tried again."""
    run = await _started(client, "executePrompt", await _prompt(client))
    payload = await client.mutate("cancelRun", "run { id }", {"runId": run})
    assert payload["success"], payload
    return {"runId": run}


async def _busy_session(client: GraphQLClient) -> dict[str, Any]:
    await _sent(client, asked := await _session(client))
    return {**asked, "onBusy": "INTERRUPT"}


async def _described(_client: GraphQLClient) -> dict[str, Any]:
    return {"title": "Trip", "tags": ["travel", "2026"], "customData": {"a": [1]}, "summary": "Where to go"}


async def _answered(client: GraphQLClient) -> dict[str, Any]:
    session = await client.create_session()
    await client.say(session)
    answer = (await client.reply(session))["message"]["id"]
    return {"messageId": answer, "model": "local:echo"}


async def _waiting(client: GraphQLClient) -> dict[str, Any]:
    """A run behind which another waits."""
    first = await _sent(client, asked := await _session(client))
    await _sent(client, {**asked, "onBusy": "ENQUEUE"})
    return {"runId": first}


async def _claimed(client: GraphQLClient) -> Claimed:
    """A run that a worker has, behind which another waits."""
    return await _claim(client, (await _waiting(client))["runId"])


async def _called(client: GraphQLClient) -> Claimed:
    """A run whose model has called what is not there: the call has failed, and its turn is to end."""
    claimed = await _claimed(client)
    await _call(client, claimed, ToolCallRequested("call-1", "wether", "{}"))
    return claimed


async def _awaited(client: GraphQLClient) -> dict[str, Any]:
    """The execution that a run waits for."""
    run = await _sent(client, {**await _session(client), "tools": [WEATHER]})
    claimed = await _claim(client, run)
    line = await _call(client, claimed, ToolCallRequested("call-1", "weather", "{}"))
    context = await client.context()
    turns = context.service(Turns)
    await context.database.transact(lambda uow: turns.finish(uow, claimed, COMPLETED, called=True))
    execution = global_id("ToolExecution", line.payload["toolExecutionId"])
    return {"toolExecutionId": execution, "status": "COMPLETED", "output": "sunny"}


async def _decidable(client: GraphQLClient) -> dict[str, Any]:
    call = await add_call(client, (await _answered(client))["messageId"])
    return {"toolExecutionId": await add_execution(client, call, requiredApproval=True), "approve": True}


async def _sent(client: GraphQLClient, asked: dict[str, Any]) -> str:
    return await _started(client, "sendMessage", asked)


async def _started(client: GraphQLClient, field: str, asked: dict[str, Any]) -> str:
    payload = await client.mutate(field, "run { id }", asked)
    assert payload["success"], payload
    return str(payload["run"]["id"])


async def _claim(client: GraphQLClient, run: str) -> Claimed:
    context = await client.context()
    accounts, ref = context.service(Accounts), RunRef(context.actor.tenant_id, run_id(run))
    claimed = await context.database.transact(lambda uow: runs.claim(uow, accounts, ref, in_view(3)))
    assert claimed is not None
    return claimed


async def _call(client: GraphQLClient, claimed: Claimed, requested: ToolCallRequested) -> RunEntry:
    context = await client.context()
    turns = context.service(Turns)

    async def call(uow: UnitOfWork) -> RunEntry | None:
        terms = await repository.terms_of(uow, claimed.claim.run)
        return await turns.call_tool(uow, claimed, looked_at(terms.tools, requested), claimed.run.turn_seq + 1)

    line = await context.database.transact(call)
    assert line is not None
    return line


DEEDS = {
    "sendMessage, new session": mutation("sendMessage", _new_session),
    "sendMessage, session": mutation("sendMessage", _session),
    "sendMessage, interrupting": mutation("sendMessage", _busy_session),
    "executePrompt, new session": mutation("executePrompt", _prompt),
    "executePrompt, session": mutation("executePrompt", _prompt_in_session),
    "retryRun, of a prompt": mutation("retryRun", _prompt_again),
    "regenerateMessage": mutation("regenerateMessage", _answered),
    "cancelRun": mutation("cancelRun", _waiting),
    "createSession": mutation("createSession", _described),
    "decideToolExecution": mutation("decideToolExecution", _decidable),
    "updateToolExecution, next turn": mutation("updateToolExecution", _awaited),
    "end of a run": step(_claimed, called=False),
    "end of a turn, next turn": step(_called, called=True),
}
