"""A prompt that was generated for a story is executed: an approved one, which the execution names ever after."""

from typing import Any

from app.core.ids import global_id, new_id
from app.execution.pipeline import PromptExecutions
from app.execution.values import ExecutePromptRequest, GeneratedPromptId
from app.runs.values import Wanted
from app.workflow.values import StageStatus
from tests.answers import SCRIPTED, retried
from tests.client import GraphQLClient
from tests.conversations import broken_rules, eventually, value
from tests.execution.scenes import ECHO, execute, executed, greeting, key_of, stored_executions
from tests.fakes import StatementRecorder
from tests.llm.provider_servers import ProviderServer, openai_answer
from tests.workflow.scenes import PG, SG, Attempt, Scene, a_workflow
from tests.worlds import ClientAs, rows, stored

APPROVED = StageStatus.APPROVED
TEXT = "Build the till.\n\nIt takes {{coins}}.\n"


async def approved_prompt(dsn: str, content: str = TEXT, **project: Any) -> tuple[Scene, Attempt]:
    """An approved prompt of a project's first story."""
    scene = await a_workflow(dsn, **project)
    return scene, await scene.add(PG, APPROVED, story_index=0, content=content)


async def test_approved_prompt_is_asked_as_it_is_and_named_by_the_execution(client: GraphQLClient, dsn: str) -> None:
    """C2."""
    _, prompt = await approved_prompt(dsn, user="bob")

    payload = await executed(client, promptGenerationId=prompt.id)

    [row] = await stored_executions(dsn)
    [event] = await rows(
        dsn, "SELECT payload->>'promptGenerationId' AS told FROM events WHERE kind = 'prompt.executed'"
    )
    assert payload["userMessage"]["content"] == TEXT
    assert (payload["promptExecution"]["template"], payload["promptExecution"]["variables"]) == (None, {})
    assert (row["prompt_generation_id"], row["template_id"], event["told"]) == (prompt.key, None, prompt.id)


async def test_what_is_no_generated_prompt_that_may_be_executed_is_refused(client: GraphQLClient, dsn: str) -> None:
    template = await greeting(client)
    scene = await a_workflow(dsn, until=(APPROVED, APPROVED))
    await scene.add(SG, APPROVED, stories=len(StageStatus) + 1)
    by_status = {status: (await scene.add(PG, status, story_index=n)).id for n, status in enumerate(StageStatus)}
    blank = (await scene.add(PG, APPROVED, story_index=len(StageStatus), content=" \n")).id
    _, theirs = await approved_prompt(dsn, tenant="acme")
    prompt = by_status.pop(APPROVED)
    refused: list[tuple[dict[str, Any], str, str]] = [
        ({"promptGenerationId": prompt, "content": "x"}, "VALIDATION_ERROR", "promptGenerationId"),
        ({"promptGenerationId": prompt, "templateId": template}, "VALIDATION_ERROR", "promptGenerationId"),
        ({"promptGenerationId": prompt, "templateName": "greeting"}, "VALIDATION_ERROR", "promptGenerationId"),
        ({"promptGenerationId": prompt, "enabled": True}, "VALIDATION_ERROR", "promptGenerationId"),
        ({"promptGenerationId": prompt, "variables": {"coins": "1"}}, "VALIDATION_ERROR", "variables"),
        ({"promptGenerationId": prompt, "label": "production"}, "VALIDATION_ERROR", "label"),
        ({"promptGenerationId": prompt, "projectId": scene.id}, "VALIDATION_ERROR", "projectId"),
        ({"promptGenerationId": "nonsense"}, "VALIDATION_ERROR", "promptGenerationId"),
        ({"promptGenerationId": scene.newest(SG).id}, "VALIDATION_ERROR", "promptGenerationId"),
        ({"promptGenerationId": blank}, "VALIDATION_ERROR", "promptGenerationId"),
        ({"promptGenerationId": theirs.id}, "NOT_FOUND", "promptGenerationId"),
        ({"promptGenerationId": generated(new_id())}, "NOT_FOUND", "promptGenerationId"),
        ({"promptGenerationId": generated(scene.newest(SG).key)}, "NOT_FOUND", "promptGenerationId"),
        *(({"promptGenerationId": id_}, "INVALID_TRANSITION", "promptGenerationId") for id_ in by_status.values()),
    ]
    before = await stored(dsn)

    for input_, code, field in refused:
        error = (await execute(client, **input_))["error"]

        assert (error["code"], error["field"]) == (code, field), input_
        assert error["hint"], input_
    assert await stored(dsn) == before


async def test_prompt_that_is_tried_again_or_answered_anew_is_still_the_generated_one(
    scripted: GraphQLClient, server: ProviderServer, dsn: str
) -> None:
    server.script(*(openai_answer(word).broken(0) for word in ("one", "two", "three")), openai_answer("four"))
    scene, prompt = await approved_prompt(dsn)
    first = await executed(scripted, promptGenerationId=prompt.id, model=SCRIPTED)
    await failed(dsn, 1)

    again = await retried(scripted, first["run"]["id"])
    await failed(dsn, 2)
    # What it has become since is no matter: the text that is asked is in the message.
    await rows(dsn, "UPDATE workflow_stages SET status = 'stale' WHERE id = $1", prompt.key)
    anew = {"messageId": first["message"]["id"], "model": SCRIPTED}
    await scripted.mutate("regenerateMessage", "run { id }", anew)
    await failed(dsn, 3)

    found = await stored_executions(dsn)
    assert [str(row["run_id"]) for row in found][:2] == [key_of(first["run"]["id"]), key_of(again)]
    assert [row["prompt_generation_id"] for row in found] == [prompt.key] * 3

    await rows(dsn, "DELETE FROM projects WHERE id = $1", scene.key)
    await scripted.mutate("regenerateMessage", "run { id }", anew)
    await eventually(lambda: value(dsn, "SELECT count(*) FROM runs WHERE status = 'completed'"), 1)

    found = await stored_executions(dsn)
    assert [row["prompt_generation_id"] for row in found] == [None] * 4
    assert await broken_rules(dsn) == []


async def test_lineage_is_read_from_both_ends_by_those_who_may(
    client: GraphQLClient, client_as: ClientAs, dsn: str, statements: StatementRecorder
) -> None:
    scene, prompt = await approved_prompt(dsn)
    other = await scene.add(PG, APPROVED, story_index=1)
    bob, admin, stranger = [await client_as(name) for name in ("bob", "system", "alice@acme")]
    own = [(await executed(client, promptGenerationId=prompt.id))["promptExecution"]["id"] for _ in range(3)]
    bobs = (await executed(bob, promptGenerationId=prompt.id))["promptExecution"]["id"]
    plain = (await executed(client, content="Hello"))["promptExecution"]["id"]
    query = """query ($ids: [ID!]!) { nodes(ids: $ids) { ... on PromptGeneration {
        executions(first: 2) { totalCount nodes { id promptGeneration { id content } } } } } }"""
    known = {"id": prompt.id, "content": TEXT}

    statements.clear()
    mine = (await client.data(query, {"ids": [prompt.id, other.id]}))["nodes"]
    sent = len(statements.sent)
    statements.clear()
    await client.data(query, {"ids": [prompt.id]})

    shown = [{"id": id_, "promptGeneration": known} for id_ in reversed(own)]
    assert mine[0]["executions"] == {"totalCount": 3, "nodes": shown[:2]}
    assert mine[1]["executions"] == {"totalCount": 0, "nodes": []}
    assert len(statements.sent) == sent
    for reader, amount, newest in ((bob, 1, bobs), (admin, 4, bobs)):
        [found] = (await reader.data(query, {"ids": [prompt.id]}))["nodes"]
        assert (found["executions"]["totalCount"], found["executions"]["nodes"][0]["id"]) == (amount, newest)
    assert (await stranger.data(query, {"ids": [prompt.id]}))["nodes"] == [None]
    asked = "query ($id: ID!) { promptExecution(id: $id) { promptGeneration { id } } }"
    assert (await client.data(asked, {"id": plain}))["promptExecution"] == {"promptGeneration": None}


async def test_prompt_that_is_deleted_while_it_is_asked_is_asked_without_its_name(
    client: GraphQLClient, dsn: str
) -> None:
    scene, prompt = await approved_prompt(dsn)
    context = await client.context()
    executor = context.service(PromptExecutions).for_request(context.database, context.actor)
    request = ExecutePromptRequest(None, wanted=Wanted(ECHO), generated_id=GeneratedPromptId(prompt.key))

    prepared = await executor.preparation.prepare(request)
    result = await executor.execution.execute(prepared, request)
    await rows(dsn, "DELETE FROM projects WHERE id = $1", scene.key)
    await executor.persistence.persist(request, result, context.actor.correlation_id)

    [row] = await stored_executions(dsn)
    assert (prepared.text, row["prompt_generation_id"]) == (TEXT, None)


def generated(key: Any) -> str:
    """The id of a generated prompt."""
    return global_id("PromptGeneration", key)


async def failed(dsn: str, runs: int) -> None:
    """Return when so many runs have failed."""
    await eventually(lambda: value(dsn, "SELECT count(*) FROM runs WHERE status = 'failed'"), runs)
