"""Conversations to ask about, and what the database holds of them."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import asyncpg

from app.budgets.pipeline import BudgetPipeline
from app.budgets.values import BudgetId, BudgetPeriod, BudgetScope, NewBudget
from app.core.errors import ErrorCode
from app.core.ids import global_id, new_id, split_global_id
from app.db.scopes import UnitOfWork
from app.execution import repository as prompt_executions
from app.execution.values import NewExecution, PromptExecutionId
from app.identity.service import local_actor
from app.identity.values import SYSTEM_USER
from app.llm.port import Usage
from app.messages.values import MessageId
from app.prompts.values import Stage, TemplateId, VersionId
from app.runs import service as runs
from app.runs.accounts import Accounts
from app.runs.graphql import run_id
from app.runs.values import Ending, Failure, RunId, RunRef, RunStatus
from app.sessions.values import SessionId
from app.workflow.pipeline import WorkflowPipeline
from app.workflow.values import NODE_TYPES, ProjectId, StageStatus
from app.workflow.values import Attempt as WantedAttempt
from tests.client import GraphQLClient
from tests.conversations import new_project, new_session
from tests.fakes import in_view
from tests.schema_walk import Ids
from tests.uploads import FileToSend
from tests.workflow.scenes import PG, PP, RA, SG, Attempt, Scene, a_project

ClientAs = Callable[[str], Awaitable[GraphQLClient]]
"""Makes a client that asks as `user` or `user@tenant`."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """A session with a question, and chains of answers that each hang on the question."""

    session: str
    question: str
    chains: list[list[str]]
    """Per chain its messages, from the question down."""
    calls: list[str]
    files: list[str]
    """The attachments: one of each message that calls a tool."""
    executions: list[str]
    """Of each call: of a chain's third message it awaits approval, the others go on."""
    runs: list[str]
    """Per chain a run that tried again what another had failed at, and failed too."""
    answers: list[str]
    """The messages of these runs."""
    state: str = ""
    """What an agent keeps in the session."""
    budget: str = ""
    """What limits its user: nobody comes near it."""
    template: str = ""
    """A prompt of a project of its own, with a label."""
    template_version: str = ""
    """Its one version."""
    prompt: str = ""
    """What the first of the runs answers, as an execution of that version."""
    workflow: Mapping[str, str] = field(default_factory=dict)
    """A project, its first attempts at each stage, a story, and the review of a prompt that is to be decided."""
    api_key: str = ""
    """Lets its user in."""

    @property
    def ids(self) -> dict[str, str]:
        """A global id for each type that implements Node: of a chain's second message, which has both sides."""
        key = split_global_id(self.session)[1]
        return {
            "ApiKey": self.api_key,
            "Budget": self.budget,
            "ChatSession": self.session,
            "ChatMessage": self.chains[0][1],
            "Run": self.runs[0],
            "ToolCall": self.calls[0],
            "MessageAttachment": self.files[0],
            "ToolExecution": self.executions[0],
            "SessionMetadata": global_id("SessionMetadata", key),
            "AgentState": self.state,
            "PromptTemplate": self.template,
            "PromptTemplateVersion": self.template_version,
            "PromptExecution": self.prompt,
            "AuditEvent": global_id("AuditEvent", f"{key}:1"),
            **self.workflow,
        }


async def conversation(client: GraphQLClient, chains: int = 1, mark: str = "plain") -> Conversation:
    """Store a session whose question was answered `chains` times, each answer followed by two, with calls and files.

    Each of these answers was also to be generated anew, twice, and failed; no run is left that is not finished.

    `mark` stands in every text, so that a leak can be found.
    """
    session = await client.create_session(
        title=mark, description=mark, agentId=mark, tags=[mark], summary=mark, customData={mark: mark}
    )
    question = (await client.say(session, mark, metadata={"mark": mark}))["message"]["id"]
    answers: list[list[str]] = []
    calls: list[str] = []
    files: list[str] = []
    executions: list[str] = []
    attempts: list[tuple[str, str]] = []
    for _ in range(chains):
        parent = question
        chain: list[str] = []
        for _ in range(3):
            # The second one is still being written: it can be completed.
            status = "PROCESSING" if len(chain) == 1 else "COMPLETED"
            answer = await client.reply(session, mark, parentMessageId=parent, errorMessage=mark, status=status)
            parent = answer["message"]["id"]
            calls.append(await add_call(client, parent, name=mark, arguments=mark, result=mark))
            files.append(await add_file(client, parent, FileToSend(mark.encode(), mark)))
            awaiting = len(chain) == 2
            executions.append(await add_execution(client, calls[-1], agentId=mark, requiredApproval=awaiting))
            chain.append(parent)
        answers.append(chain)
        failed, _ = await failed_run(client, mark, "regenerateMessage", {"messageId": chain[0], "model": "local:echo"})
        attempts.append(await failed_run(client, mark, "retryRun", {"runId": failed}))
    state = await keep_state(client, session, agentId=mark, state={mark: mark})
    budget = await limited(client)
    ended, written = zip(*attempts, strict=True)
    project = await add_project(client, ended[0], chains, mark)
    template, version = await add_template(client, mark, projectId=project["Project"])
    prompt = await add_prompt(client, (session, question, ended[0]), (template, version), mark)
    return Conversation(
        session, question, answers, calls, files, executions, list(ended), list(written), state, budget,
        template, version, prompt, project, api_key=await keep_key(client, name=mark),
    )  # fmt: skip


async def ids_for(client: GraphQLClient, field: str, own: Conversation) -> Ids:
    """The ids of a conversation, with something there for a root field to do."""
    match field:
        case "cancelRun":
            # To be cancelled, a run must go on.
            return {**own.ids, "Run": await live_run(client, own)}
        case "sendMessage" | "forkSession":
            # To be asked anew, a message must be a question; to be copied, it must be finished.
            return {**own.ids, "ChatMessage": own.question}
        case "addToolExecution":
            # To be executed, a call must not have been before.
            return {**own.ids, "ToolCall": await add_call(client, own.chains[0][1])}
        case "decideToolExecution":
            # To be decided, an execution must await it.
            call = await add_call(client, own.chains[0][1])
            return {**own.ids, "ToolExecution": await add_execution(client, call, requiredApproval=True)}
        case "disablePromptTemplate":
            # To be disabled, a template must be enabled.
            template, _ = await add_template(client, "enabled", projectId=own.ids["Project"], enabled=True)
            return {**own.ids, "PromptTemplate": template}
        case "generateStage":
            await install_templates(client, own.ids)
            return own.ids
        case "executePrompt":
            # To be executed, a generated prompt must be approved.
            return {**own.ids, "PromptGeneration": await add_approved_prompt(client, own.ids)}
        case "sessions" | "searchSessions" | "auditEvents":
            # To be listed for a project, a session must be one's own and the project's.
            return {**own.ids, "Project": await add_session_of_project(client, "own")}
        case _:
            return own.ids


async def live_run(client: GraphQLClient, talk: Conversation) -> str:
    """The id of a run of the conversation that waits for a worker; there is none, so that it stays so."""
    return (await _started(client, "regenerateMessage", {"messageId": talk.chains[0][0], "model": "local:echo"}))[0]


async def failed_run(client: GraphQLClient, mark: str, mutation: str, input_: dict[str, Any]) -> tuple[str, str]:
    """The ids of a run and its message: started by a mutation, taken, and failed with `mark` as its error."""
    run, message = await _started(client, mutation, input_)
    context = await client.context()
    accounts, ref = context.service(Accounts), RunRef(context.actor.tenant_id, run_id(run))
    failure = Failure(ErrorCode.PROVIDER_ERROR, mark, hint=mark, details={mark: mark})

    async def work(uow: UnitOfWork) -> None:
        claimed = await runs.claim(uow, accounts, ref, in_view(1))
        assert claimed is not None
        ended = await runs.finish(uow, accounts, claimed, Ending(RunStatus.FAILED, failure, Usage(input=1, output=1)))
        assert ended is not None

    await context.database.transact(work)
    return run, message


async def _started(client: GraphQLClient, mutation: str, input_: dict[str, Any]) -> tuple[str, str]:
    payload = await client.mutate(mutation, "run { id } message { id }", input_)
    assert payload["success"], payload
    return str(payload["run"]["id"]), str(payload["message"]["id"])


async def limited(client: GraphQLClient) -> str:
    """The id of a budget of the client's user, which an admin set."""
    context = await client.context()
    admin = local_actor(SYSTEM_USER, context.actor.tenant_id, context.actor.correlation_id)
    user = context.actor.user_id
    new = NewBudget(BudgetId(new_id()), BudgetScope.USER, user, BudgetPeriod.MONTH, None, 10**12)
    outcome = await context.service(BudgetPipeline).set(context.database, admin, new, None)
    assert outcome.budget_id is not None
    return global_id("Budget", outcome.budget_id)


async def add_call(client: GraphQLClient, message: str, **input_: Any) -> str:
    """The id of a new tool call."""
    payload = await client.mutate(
        "addToolCall", "toolCall { id }", {"messageId": message, "name": "search", "arguments": "{}", **input_}
    )
    assert payload["success"], payload
    return str(payload["toolCall"]["id"])


async def keep_state(client: GraphQLClient, session: str, **input_: Any) -> str:
    """The id of the state that an agent keeps in a session."""
    payload = await client.mutate("setAgentState", "agentState { id }", {"sessionId": session, **input_})
    assert payload["success"], payload
    return str(payload["agentState"]["id"])


async def keep_key(client: GraphQLClient, **input_: Any) -> str:
    """The id of a new API key, which only reads unless something else is said."""
    made = await client.mutate("createApiKey", "apiKey { id }", {"scope": "READ", **input_})
    assert made["success"], made
    return str(made["apiKey"]["id"])


async def add_template(client: GraphQLClient, mark: str, **input_: Any) -> tuple[str, str]:
    """The ids of a new prompt template, which says `mark` everywhere, and of its version, to which a label points."""
    # Of a name, only what a variable can be called.
    variable = {"name": mark.replace("-", "_"), "description": mark, "default": mark}
    text = {"name": mark, "content": mark, "description": mark, "variables": [variable]}
    made = await client.mutate("createPromptTemplate", "template { id latestVersion { id } }", {**text, **input_})
    assert made["success"], made
    template = str(made["template"]["id"])
    await client.mutate("setPromptLabel", "success", {"templateId": template, "label": mark, "version": 1})
    return template, str(made["template"]["latestVersion"]["id"])


async def add_prompt(client: GraphQLClient, asked: tuple[str, str, str], template: tuple[str, str], mark: str) -> str:
    """The id of a new execution: as if a run had been asked for, with its session and question, by a template."""
    context = await client.context()
    session, question, run = (UUID(split_global_id(each)[1]) for each in asked)
    template_id, version = (UUID(split_global_id(each)[1]) for each in template)
    new = NewExecution(
        PromptExecutionId(new_id()), SessionId(session), RunId(run), MessageId(question), TemplateId(template_id),
        VersionId(version), mark, None, {mark: mark}, mark,
    )  # fmt: skip
    await context.database.transact(lambda uow: prompt_executions.save(uow, context.actor, new))
    return global_id("PromptExecution", new.id)


async def add_session_of_project(client: GraphQLClient, mark: str) -> str:
    """The id of a new project of the client's tenant, with a session of the client's in it; both called `mark`."""
    context = await client.context()
    project = await new_project(context.database, context.actor, mark)
    await new_session(context.database, context.actor, mark, project)
    return global_id("Project", project)


async def add_project(client: GraphQLClient, run: str, chains: int, mark: str) -> dict[str, str]:
    """Ids of each type of the workflow: of a project with `chains` attempts at each stage, the first are approved.

    Of its prompts, which are to be decided, each is as if the run had made it.
    """
    context = await client.context()
    project = await a_project(
        context.database._lender.pool.fetch, mark, user=mark, tenant=context.actor.tenant_id, mark=mark
    )
    made: dict[str, Any] = {"run_id": UUID(split_global_id(run)[1])}
    for number in range(chains):
        status = StageStatus.REJECTED if number else StageStatus.APPROVED
        for stage in (RA, PP, SG):
            await project.add(stage, status, stories=1, **made)
        await project.add(PG, story_index=0, **made)
    return ids_of_workflow(project)


async def add_approved_prompt(client: GraphQLClient, own: Ids) -> str:
    """The id of an approved prompt, of a new list of stories in one's project."""
    context = await client.context()
    project, plan = (UUID(split_global_id(own[name])[1]) for name in ("Project", "ProjectPlanning"))
    scene = Scene(context.database._lender.pool.fetch, project, context.actor.tenant_id)
    there = Attempt(PP, plan, None, (None, None))
    await scene.add(SG, StageStatus.REJECTED, upstream=there, stories=1, attempt=1 + new_id().int % 2**30)
    return (await scene.add(PG, StageStatus.APPROVED, story_index=0)).id


async def install_templates(client: GraphQLClient, own: Ids) -> None:
    """Have the built-in templates of the workflow in the library: whoever asks first installs them."""
    context = await client.context()
    generation = context.service(WorkflowPipeline).generation
    project = ProjectId(UUID(split_global_id(own["Project"])[1]))
    for stage in Stage:
        await generation.check_template(
            context.database, context.actor, WantedAttempt(project, stage, None, None, "local:echo")
        )


def ids_of_workflow(project: Scene) -> dict[str, str]:
    """A global id for each type of the workflow: of the first attempts, and of what hangs on them."""
    first = {attempt.stage: attempt for attempt in reversed(project.attempts)}
    stages = {NODE_TYPES[stage]: attempt.id for stage, attempt in first.items()}
    return {"Project": project.id, **stages, "Story": first[SG].story(0), "Review": first[PG].review}


async def add_file(client: GraphQLClient, message: str, file: FileToSend) -> str:
    """The id of a new attachment."""
    payload = await client.mutate("uploadAttachment", "attachment { id }", {"messageId": message, "file": file})
    assert payload["success"], payload
    return str(payload["attachment"]["id"])


async def add_execution(client: GraphQLClient, call: str, **input_: Any) -> str:
    """The id of the new execution of a call."""
    payload = await client.mutate("addToolExecution", "toolExecution { id }", {"toolCallId": call, **input_})
    assert payload["success"], payload
    return str(payload["toolExecution"]["id"])


async def stored(dsn: str) -> dict[str, tuple[int, str]]:
    """Rows and a digest of the contents of every table."""
    connection = await asyncpg.connect(dsn)
    try:
        names = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
        digests = " UNION ALL ".join(
            f"SELECT '{row[0]}', count(*), coalesce(md5(string_agg(t::text, ' ' ORDER BY t::text)), '') FROM {row[0]} t"
            for row in names
        )
        return {row[0]: (row[1], row[2]) for row in await connection.fetch(digests)}
    finally:
        await connection.close()


async def rows(dsn: str, statement: str, *arguments: object) -> list[dict[str, Any]]:
    """What a statement answers on a connection of its own."""
    connection = await asyncpg.connect(dsn)
    try:
        return [dict(row) for row in await connection.fetch(statement, *arguments)]
    finally:
        await connection.close()
