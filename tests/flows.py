"""What people do most, from end to end, over any database: for tests of other ways to it and other layouts of it."""

import asyncio
from contextlib import aclosing
from typing import Any

from app.core.actor import Actor
from app.core.settings import Settings
from app.graph.body import GraphQLRequest
from app.graph.operations import Operations
from app.prompts.values import Stage
from app.schema import schema
from tests.answers import ask, run_of
from tests.client import GraphQLClient, as_sent
from tests.conversations import PATIENCE_SECONDS
from tests.execution.scenes import executed, greeting
from tests.followers import COMPLETION
from tests.runs.conftest import Process
from tests.workflow.making import a_project, approved, inconsistent

SAID = "query ($id: ID!) { session(id: $id) { title messages(last: 100) { totalCount nodes { content status } } } }"


async def said_in(client: GraphQLClient, session: str) -> list[str]:
    """The messages of a session."""
    found = (await client.data(SAID, {"id": session}))["session"]["messages"]
    return [node["content"] for node in found["nodes"]]


async def answered(client: GraphQLClient, run: str) -> str:
    """The text of an answer, followed from its beginning to its end."""
    context = await client.context()
    operations = Operations(schema, executor=Settings().executor)
    asked = GraphQLRequest(COMPLETION, {"runId": run, "after": 0})
    text, last = "", ""
    async with asyncio.timeout(PATIENCE_SECONDS):
        async with aclosing(await operations.start(operations.prepare(asked, context), context)) as told:
            async for answer in told:
                assert "errors" not in answer, answer
                event = as_sent(answer)["data"]["messageCompletion"]
                text, last = text + event.get("text", ""), event["__typename"]
    assert last == "CompletionFinished"
    return text


async def converse(client: GraphQLClient, name: str) -> None:
    """A session, a message with its answer, one that is sent twice, and a prompt that is executed."""
    session = await client.create_session(title=name)
    asked = await ask(client, f"hello {name}", sessionId=session)
    assert await answered(client, asked.run_id) == f"hello {name}"

    twice = [await client.say(session, "once", clientKey=name) for _ in range(2)]
    assert [payload["deduplicated"] for payload in twice] == [False, True]
    assert await said_in(client, session) == [f"hello {name}", f"hello {name}", "once"]

    template = await greeting(client, f"greeting {name}")
    run = (await executed(client, templateId=template, variables={"name": name}))["run"]["id"]
    assert await answered(client, run) == f"Say hello to {name} in English."
    assert (await run_of(client, run))["status"] == "COMPLETED"


async def plan(process: Process, dsn: str, actor: Actor) -> dict[str, list[Any]]:
    """A project's first two stages, generated and approved; what is wrong with it then."""
    project = await a_project(process, actor)
    for stage in (Stage.REQUIREMENTS_ANALYSIS, Stage.PROJECT_PLANNING):
        await approved(process, dsn, actor, project, stage)
    return await inconsistent(dsn)
