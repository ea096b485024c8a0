"""Builds what one process needs, once: the only file that chooses implementations."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import cast

import structlog

from app.attachments.pipeline import AttachmentPipeline
from app.budgets.pipeline import BudgetPipeline
from app.core.settings import Settings
from app.db.database import Database, PoolSettings
from app.db.foundation import ready_database
from app.db.migrate import Progress
from app.db.replica import reading_from
from app.erasure.pipeline import ErasurePipeline
from app.execution.persistence import SqlExecutions
from app.execution.pipeline import PromptExecutions
from app.execution.uses import PromptUses
from app.identity.keyring import Keyring
from app.identity.pipeline import ApiKeyPipeline
from app.identity.service import Authenticator, door
from app.identity.values import KeyDigests
from app.live import Collaborators, live
from app.llm.prices import cost
from app.llm.registry import Models
from app.llm.tokens import count_tokens, warm_up
from app.messages.intent import IntentDetector
from app.messages.pipeline import MessagePipeline
from app.prompts.pipeline import PromptPipeline
from app.runs.accounts import Accounts
from app.runs.loaders import spent_since
from app.runs.pipeline import RunPipeline
from app.runs.turns import Turns
from app.statistics.service import StatisticsCache
from app.toolbox.current_time import CurrentTime
from app.toolbox.search_history import SearchHistory
from app.toolbox.service import Toolbox
from app.tools.pipeline import ToolPipeline
from app.workflow.generation import Generation
from app.workflow.pipeline import WorkflowPipeline
from app.workflow.uses import ApprovedPrompts


@dataclass(frozen=True, slots=True)
class Container:
    """The process's one instance of everything that lives as long as it does."""

    settings: Settings
    dsn: str
    database: Database
    authenticator: Authenticator
    services: Mapping[type, object]


class LoggedStatements:
    """Logs every statement, without its values (S2-22)."""

    def __init__(self) -> None:
        self._log = structlog.get_logger("colloquy.sql")

    def ran(self, sql: str, elapsed_ms: float, rows: int) -> None:
        """Called after every statement."""
        self._log.info("statement", sql=" ".join(sql.split()), elapsed_ms=elapsed_ms, rows=rows)


def build_services(settings: Settings) -> Mapping[type, object]:
    """The services that resolvers may ask for; they open nothing before they are asked."""
    messages = MessagePipeline(IntentDetector.from_catalogue(settings.intent_catalogue), count_tokens)
    models, accounts = Models.of(settings), Accounts(count_tokens, cost, settings.budget_output_tokens)
    toolbox = Toolbox.of(CurrentTime(), SearchHistory())
    generated = ApprovedPrompts()
    uses = PromptUses(generated)
    runs = RunPipeline(messages, models, accounts, toolbox, (uses,))
    generation = Generation(runs, SqlExecutions(runs, generated))
    approval_lasts = timedelta(seconds=settings.approval_expires_seconds)
    turns = Turns(messages, accounts, approval_lasts)
    tools = ToolPipeline((turns,), approval_lasts)
    return {
        MessagePipeline: messages,
        Models: models,
        Accounts: accounts,
        RunPipeline: runs,
        ApiKeyPipeline: ApiKeyPipeline(KeyDigests.of(settings)),
        AttachmentPipeline: AttachmentPipeline(),
        BudgetPipeline: BudgetPipeline(spent_since),
        StatisticsCache: StatisticsCache(),
        ToolPipeline: tools,
        Toolbox: toolbox,
        Turns: turns,
        ErasurePipeline: ErasurePipeline(runs),
        PromptPipeline: PromptPipeline((uses,)),
        WorkflowPipeline: WorkflowPipeline(generation, settings.workflow_parallel),
        PromptExecutions: PromptExecutions(runs, generated, settings.execute_wait_seconds),
    }


def collaborators_of(services: Mapping[type, object]) -> Collaborators:
    """What the background needs of them."""
    return Collaborators(
        cast("Models", services[Models]),
        cast("MessagePipeline", services[MessagePipeline]),
        cast("StatisticsCache", services[StatisticsCache]),
        cast("Turns", services[Turns]),
        cast("ToolPipeline", services[ToolPipeline]),
        cast("Toolbox", services[Toolbox]),
        cast("WorkflowPipeline", services[WorkflowPipeline]),
    )


@asynccontextmanager
async def open_container(
    settings: Settings, progress: Progress = lambda _: None, *, background: bool = True
) -> AsyncIterator[Container]:
    """Everything, ready; closed again at the end: the pool first, then the embedded server.

    Without its background, nothing can be followed and no jobs are worked.

    DatabaseProblem and IntentCatalogueError say in one line what is wrong.
    """
    services = build_services(settings)
    others = collaborators_of(services)
    warm_up()
    async with ready_database(settings, progress) as dsn:
        log = LoggedStatements() if settings.log_sql else None
        database = await Database.connect(dsn, PoolSettings.of(settings), log)
        keyring = Keyring(database, KeyDigests.of(settings))
        try:
            async with AsyncExitStack() as stack:
                following: Mapping[type, object] = {Keyring: keyring}
                if background:
                    running = live(settings, dsn, database, others, keyring)
                    following = {**following, **await stack.enter_async_context(running)}
                    await stack.enter_async_context(reading_from(settings, database))
                authenticator = await stack.enter_async_context(door(settings, keyring))
                yield Container(settings, dsn, database, authenticator, {**services, **following})
        finally:
            await others.statistics.close()
            await others.models.close()
            await database.close()
