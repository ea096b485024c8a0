"""The sample operations of a front end run as they are, one after the other, as a person would go through them."""

from datetime import UTC, datetime, timedelta
from typing import Any

from app.workflow.values import StageStatus
from tests.client import GraphQLClient
from tests.forked import REPOSITORY
from tests.workflow.scenes import PG, SG, a_workflow
from tests.worlds import ClientAs, add_call, add_execution, add_template

OPERATIONS = {path.stem: path.read_text() for path in (REPOSITORY / "contract/operations").glob("*.graphql")}


async def test_front_ends_operations_run(client: GraphQLClient, live_as: ClientAs, dsn: str) -> None:
    asked: set[str] = set()

    async def ask(name: str, **variables: Any) -> dict[str, Any]:
        asked.add(name)
        data = await client.data(OPERATIONS[name], variables)
        for payload in data.values():
            assert not isinstance(payload, dict) or payload.get("success", True), (name, payload)
        return data

    async def first(name: str, **variables: Any) -> dict[str, Any]:
        asked.add(name)
        event = await listener.first_event(OPERATIONS[name], variables)
        assert "errors" not in event, (name, event)
        return dict(event["data"])

    assert (await ask("Home"))["viewer"]["userId"] == "alice"
    session = (await ask("CreateSession", input={"title": "Trip to Lisbon"}))["createSession"]["session"]["id"]
    message = {"content": "Which train?", "sessionId": session, "model": "local:echo"}
    sent = (await ask("SendMessage", input=message))["sendMessage"]
    # Before anything is followed nobody works the run.
    assert (await ask("CancelRun", runId=sent["run"]["id"]))["cancelRun"]["run"]["status"] == "CANCELLED"
    listener = await live_as("alice")
    begun = (await first("Completion", runId=sent["run"]["id"]))["messageCompletion"]
    assert begun["__typename"] == "CompletionSnapshot"
    answer = (await client.reply(session, "By noon.", callsTools=True))["message"]["id"]
    execution = await add_execution(client, await add_call(client, answer), requiredApproval=True)

    [listed] = (await ask("SessionList"))["sessions"]["edges"]
    page = (await ask("SessionPage", sessionId=session))["session"]
    [found] = (await ask("SessionSearch", query="noon"))["searchSessions"]["edges"]
    assert (listed["node"]["id"], found["node"]["session"]["id"]) == (session, session)
    assert page["activePath"]["edges"][-1]["node"]["toolCalls"][0]["execution"]["id"] == execution

    [awaiting] = (await ask("Approvals"))["pendingApprovals"]["edges"]
    assert awaiting["node"]["id"] == execution
    assert (await first("ApprovalRequested"))["approvalRequested"]["id"] == execution
    decided = await ask("DecideApproval", input={"toolExecutionId": execution, "approve": True})
    assert decided["decideToolExecution"]["toolExecution"]["approved"]

    template, _ = await add_template(client, "plain")
    [prompt] = (await ask("PromptList", filter={"label": "plain"}))["promptTemplates"]["edges"]
    assert prompt["node"]["id"] == template
    saved = await ask("SavePrompt", input={"templateId": template, "expectedVersion": 1, "content": "Hello."})
    assert saved["updatePromptTemplate"]["template"]["version"] == 2
    await ask("ExecutePrompt", input={"templateId": template, "model": "local:echo"})

    project = await a_workflow(dsn, StageStatus.APPROVED, StageStatus.AWAITING_REVIEW)
    shown = (await ask("ProjectPage", projectId=project.id))["project"]
    assert {edge["node"]["kind"] for edge in shown["stages"]["edges"]} >= {"STORY_GENERATION", "PROMPT_GENERATION"}
    assert (await first("ProjectEvents", projectId=project.id, after="0"))["projectEvents"]["seq"] == "1"
    assert (await first("ReviewRequested"))["reviewRequested"]["id"] == project.newest(PG).review
    review = {"reviewId": project.newest(PG).review, "decision": "APPROVE"}
    assert (await ask("DecideReview", input=review))["decideReview"]["review"]["status"] == "APPROVED"
    again = {"projectId": project.id, "stage": "PROMPT_GENERATION", "upstreamId": project.newest(SG).id}
    await ask("GenerateStage", input={**again, "storyIndex": 0, "model": "local:echo"})

    now = datetime.now(UTC)
    days = {"from": (now - timedelta(days=2)).isoformat(), "to": (now + timedelta(days=1)).isoformat()}
    assert (await ask("Usage", **days))["userStatistics"]["totalSessions"] >= 1
    active = (await ask("Activity", **days))["messagePersistenceStatistics"]["mostActiveSessions"]
    assert session in [each["session"]["id"] for each in active]

    assert asked == set(OPERATIONS)
