"""What README and docs show is true: their queries run, their commands exist, their tables and links are right."""

import json
import re
import shlex
from contextlib import aclosing
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from app.cli import cli
from app.core.settings import GROUPS, environment_name
from app.core.settings.kinds import Group
from app.messages.intent import IntentDetector
from app.workflow.values import TRANSITIONS, StageStatus
from tests.client import GraphQLClient
from tests.followers import Way, subscribed
from tests.processes import Served, serving
from tests.schema_walk import FOR_ADMINS
from tests.uploads import FileToSend
from tests.workflow.scenes import PG, SG, Scene, a_workflow
from tests.worlds import ClientAs, add_call, add_execution, add_file, add_template, keep_key, limited

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page: Path, language: str) -> list[str]:
    """The fenced blocks of one language on a page."""
    return [text for found, text in _BLOCK.findall(page.read_text()) if found == language]


def operations(*, subscriptions: bool) -> dict[str, str]:
    """The GraphQL blocks of all pages by page and number: those that are followed, or all others."""
    return {
        f"{page.stem}-{number}": text
        for page in PAGES
        for number, text in enumerate(blocks(page, "graphql"), 1)
        if text.startswith("subscription") is subscriptions
    }


QUERIES = operations(subscriptions=False)


COMMANDS = sorted(
    {
        line.split("#")[0].strip()
        for page in PAGES
        for block in blocks(page, "sh")
        for line in block.replace("\\\n", " ").splitlines()
        if line.strip()
    }
)


@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES)
async def test_queries_on_the_pages_run(
    client: GraphQLClient, client_as: ClientAs, query: str, dsn: str, tmp_path: Path
) -> None:
    variables = {name: value for name, value in (await known_to(client, dsn, query)).items() if f"${name}" in query}

    if "wait: true" in query:
        # What is waited for must be worked.
        async with serving(tmp_path, DATABASE_URL=dsn) as served, served.client() as waiting:
            data = await waiting.data(query, variables)
    else:
        asking = await client_as("system") if any(name in query for name in FOR_ADMINS) else client
        data = await asking.data(query, variables)

    payloads = [value for value in data.values() if isinstance(value, dict) and "success" in value]
    assert all(payload["success"] for payload in payloads), payloads


async def known_to(client: GraphQLClient, dsn: str, query: str) -> dict[str, object]:
    """What the variables of a page stand for, as far as the query may need it."""
    session = await client.create_session(title="Trip to Lisbon")
    message = (await client.say(session))["message"]["id"]
    known: dict[str, object] = {"sessionId": session, "messageId": message, "file": FileToSend()}
    if any(name in query for name in ("addToolCall", "$toolCallId", "$toolExecutionId", "$awaitingId")):
        answer = (await client.reply(session, "", callsTools=True))["message"]["id"]
        first, second, third = [await add_call(client, answer) for _ in range(3)]
        known |= {"messageId": answer, "toolCallId": first, "toolExecutionId": await add_execution(client, second)}
        known["awaitingId"] = await add_execution(client, third, requiredApproval=True)
    if "$answerId" in query:
        begun = await client.mutate("createStreamingContext", "message { id }", {"sessionId": session})
        known["answerId"] = begun["message"]["id"]
    if "$attachmentId" in query:
        known["attachmentId"] = await add_file(client, message, FileToSend())
    if "$templateId" in query:
        known["templateId"] = (await add_template(client, "plain"))[0]
    if "$shopTemplateId" in query:
        known["shopTemplateId"] = await template_of(client)
    if "$budgetId" in query:
        known["budgetId"] = await limited(client)
    if "$apiKeyId" in query:
        known["apiKeyId"] = await keep_key(client, name="of a page")
    if "unId" in query:
        known |= {"runId": await run_of(client), "endedRunId": await ended_run_of(client)}
    if any(name in query for name in ("$projectId", "$stageId", "$reviewId")):
        known |= await workflow_ids(dsn)
    return known


async def workflow_of(place: str) -> Scene:
    """A project with a list of stories, of whose prompts one is approved and one is to be decided."""
    return await a_workflow(place, StageStatus.APPROVED, StageStatus.AWAITING_REVIEW)


async def workflow_ids(dsn: str) -> dict[str, str]:
    """Such a project, its list of stories, and the review that is to be decided."""
    project = await workflow_of(dsn)
    return {"projectId": project.id, "stageId": project.newest(SG).id, "reviewId": project.newest(PG).review}


async def template_of(client: GraphQLClient) -> str:
    """A prompt template with the variables that a page gives values for."""
    variables = [{"name": "shop"}, {"name": "question"}]
    input_ = {"name": "Answers", "content": "You answer for {{shop}}: {{question}}", "variables": variables}
    return str((await client.mutate("createPromptTemplate", "template { id }", input_))["template"]["id"])


async def run_of(client: GraphQLClient) -> str:
    """A run that waits for a worker."""
    sent = await client.mutate("sendMessage", "run { id }", {"content": "hello", "model": "local:echo"})
    return str(sent["run"]["id"])


async def ended_run_of(client: GraphQLClient) -> str:
    """A run that was cancelled."""
    run = await run_of(client)
    await client.mutate("cancelRun", "run { id }", {"runId": run})
    return run


@pytest.mark.timeout(240)
async def test_subscriptions_on_the_pages_run(dsn: str, tmp_path: Path, subtests: pytest.Subtests) -> None:
    async with serving(tmp_path, DATABASE_URL=dsn) as served, served.client() as client:
        for name, query in operations(subscriptions=True).items():
            with subtests.test(name):
                await run_subscription(served, client, query, dsn)


async def run_subscription(served: Served, client: GraphQLClient, query: str, dsn: str) -> None:
    """Follow something that the subscription is about: to its end, where it has one."""
    if "approvalRequested" in query:
        awaiting = await requested(client)
        async with aclosing(subscribed(await served.address(), Way.SOCKET, query, {})) as told:
            assert (await anext(told))["id"] == awaiting
        return
    if "reviewRequested" in query:
        pending = (await workflow_of(dsn)).newest(PG).review
        async with aclosing(subscribed(await served.address(), Way.SOCKET, query, {})) as told:
            assert (await anext(told))["id"] == pending
        return
    if "projectEvents" in query:
        project = {"projectId": (await workflow_of(dsn)).id}
        async with aclosing(subscribed(await served.address(), Way.SOCKET, query, project)) as told:
            assert (await anext(told))["kind"] == "PROJECT_CREATED"
        return
    asked = {"query": query, "variables": {"runId": await run_of(client)}}

    async with client.http.sse("/graphql", method="POST", json=asked) as stream:
        results = [json.loads(sent.data) async for sent in stream if sent.event == "next"]

    assert all("errors" not in result for result in results), results
    names = [result["data"]["messageCompletion"]["__typename"] for result in results]
    assert (names[0], names[-1]) == ("CompletionSnapshot", "CompletionFinished")


async def requested(client: GraphQLClient) -> str:
    """An execution that awaits approval."""
    message = (await client.reply(await client.create_session(), "", callsTools=True))["message"]["id"]
    return await add_execution(client, await add_call(client, message), requiredApproval=True)


@pytest.mark.parametrize("command", [command for command in COMMANDS if command.startswith("make ")])
def test_make_targets_on_the_pages_exist(command: str) -> None:
    target = command.split()[1]

    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)


@pytest.mark.parametrize("command", [c for c in COMMANDS if "colloquy " in c and not c.startswith("docker ")])
def test_colloquy_commands_on_the_pages_exist(command: str) -> None:
    name, *arguments = shlex.split(command.split("colloquy ", 1)[1])
    in_group = arguments[:1] if name in {group.name for group in cli.registered_groups} else []

    shown = CliRunner().invoke(cli, [name, *in_group, "--help"])

    assert shown.exit_code == 0, shown.output
    assert all(flag in shown.output for flag in arguments if flag.startswith("--"))
    assert all((ROOT / path).exists() for path in arguments if path.startswith("examples/"))


@pytest.mark.parametrize("command", [command for command in COMMANDS if command.startswith("curl ")])
async def test_curl_commands_on_the_pages_are_answered(client: GraphQLClient, command: str) -> None:
    found = re.search(r"-d '(.*)'", command)
    assert found

    answer = await client.http.post("/graphql", content=found[1], headers={"Content-Type": "application/json"})

    assert answer.status_code == 200
    assert "errors" not in answer.json()


@pytest.mark.parametrize("command", [command for command in COMMANDS if command.startswith("docker compose ")])
def test_compose_commands_on_the_pages_name_what_is_composed(command: str) -> None:
    composed = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    profiles = {name for service in composed.values() for name in service.get("profiles", [])}
    _, _, *words = shlex.split(command)

    assert {words[at + 1] for at, word in enumerate(words) if word == "--profile"} <= profiles
    assert {word.partition("=")[0] for word in words if re.match(r"\w+=\d", word)} <= set(composed)
    if "run" in words:
        service, name, *_ = (word for word in words[words.index("run") + 1 :] if not word.startswith("-"))
        assert service in composed
        assert CliRunner().invoke(cli, [name, "--help"]).exit_code == 0
    if "exec" in words:
        assert words[words.index("exec") + 1] in composed


@pytest.mark.parametrize("command", [command for command in COMMANDS if command.startswith("sh ")])
def test_scripts_on_the_pages_exist(command: str) -> None:
    assert (ROOT / command.split()[1]).is_file()


def test_commands_of_the_pages_are_all_covered() -> None:
    covered = ("make ", "curl ", "docker compose ", "sh scripts/")
    uncovered = [c for c in COMMANDS if not c.startswith(covered) and "colloquy " not in c]

    assert uncovered == []


def test_tables_of_settings_are_complete() -> None:
    page = (ROOT / "docs" / "configuration.md").read_text().splitlines()
    rows = [line for line in page if line.startswith(("| `", "### "))]
    begin = rows.index(f"### {heading(GROUPS[0])}")

    expected = []
    for group in GROUPS:
        expected.append(f"### {heading(group)}")
        for name, field in group.model_fields.items():
            default = field.default
            shown = "" if default is None else f"`{str(default).lower() if isinstance(default, bool) else default}`"
            expected.append(f"| `{environment_name(name)}` | {shown} | {field.description} |")
    assert rows[begin : begin + len(expected)] == expected


def heading(group: type[Group]) -> str:
    """What its part of the page is called."""
    return str(group.__doc__).splitlines()[0].rstrip(".")


@pytest.mark.parametrize("catalogue", blocks(ROOT / "docs" / "pipeline.md", "json"))
def test_catalogue_on_the_page_is_one(catalogue: str, tmp_path: Path) -> None:
    file = tmp_path / "intents.json"
    file.write_text(catalogue)

    found = IntentDetector.from_catalogue(file).detect("I want my money back")

    assert found is not None
    assert found.name == "REFUND"


def test_diagram_of_the_workflow_is_the_table_of_transitions() -> None:
    [diagram] = blocks(ROOT / "docs" / "workflow.md", "mermaid")

    arrows = [
        f"{start.name} --> {following.name}"
        for start in StageStatus
        for following in StageStatus
        if following in TRANSITIONS[start]
    ]
    assert [line.strip() for line in diagram.splitlines()] == ["stateDiagram-v2", "[*] --> PENDING", *arrows]


def test_links_between_the_pages_lead_somewhere() -> None:
    broken = [
        f"{page.name}: {target}"
        for page in PAGES
        for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text())
        if not target.startswith("http") and not (page.parent / target).exists()
    ]

    assert broken == []
