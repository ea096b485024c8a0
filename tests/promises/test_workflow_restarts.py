"""A server that is killed at any moment of a project loses nothing of it, and does nothing twice (S2-26 to S2-29)."""

from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.answers import SCRIPTED
from tests.client import GraphQLClient
from tests.llm.provider_servers import FOREVER, ProviderServer, openai_answer
from tests.processes import Served, serving
from tests.promises.projects import (
    STAGES,
    all_settled,
    approve_all,
    decide,
    described,
    downloaded,
    generate,
    history,
    stages_in,
)
from tests.workflow.making import inconsistent, told

pytestmark = pytest.mark.timeout(300)


class Restarted:
    """A server that is killed, and started again, as often as is wanted."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self._folder = folder
        self._environment = environment
        self._stack = AsyncExitStack()
        self._server: Served | None = None

    async def __aenter__(self) -> "Restarted":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def client(self) -> GraphQLClient:
        """Asks the server that is running; a new one, where there is none."""
        if self._server is None:
            self._server = await self._stack.enter_async_context(serving(self._folder, **self._environment))
        return await self._stack.enter_async_context(self._server.client())

    async def kill(self) -> None:
        """End it without a chance to do anything."""
        assert self._server is not None
        await self._server.kill()
        await self._stack.aclose()
        self._stack, self._server = AsyncExitStack(), None


async def test_project_survives_a_kill_at_every_boundary_of_its_stages(tmp_path: Path, dsn: str) -> None:
    async with Restarted(tmp_path, {"DATABASE_URL": dsn}) as server:
        client = await server.client()
        project_id = await described(client)

        async def as_before(client: GraphQLClient) -> GraphQLClient:
            """Kill the server, start it again, and find all as it was."""
            before = await history(client, project_id)
            await server.kill()
            client = await server.client()
            assert await history(client, project_id) == before
            await all_settled(dsn)
            assert await history(client, project_id) == before
            return client

        client = await as_before(client)  # S2-26
        for stage in STAGES:
            await generate(client, project_id, stage)
            await all_settled(dsn)
            client = await as_before(client)  # S2-28: pending
            assert await approve_all(client, project_id) >= 1
            if stage in STAGES[2:]:
                client = await as_before(client)  # S2-27 and S2-28: approved
        archive = await downloaded(client, project_id)
        await server.kill()
        assert await downloaded(await server.client(), project_id) == archive  # S2-29
    assert await inconsistent(dsn) == {}


async def test_stage_that_a_kill_interrupts_is_generated_again_and_once(
    tmp_path: Path, dsn: str, provider: ProviderServer
) -> None:
    answers = {
        "REQUIREMENTS_ANALYSIS": "# The requirements",
        "PROJECT_PLANNING": "# The plan",
        "STORY_GENERATION": told(),
    }
    environment = {
        "DATABASE_URL": dsn, "COLLOQUY_COMPATIBLE_BASE_URL": provider.url, "COLLOQUY_JOB_LEASE_SECONDS": "1",
    }  # fmt: skip
    async with Restarted(tmp_path, environment) as server:
        client = await server.client()
        project_id = await described(client)
        for number, (stage, answer) in enumerate(answers.items(), 1):
            provider.script(openai_answer(answer).broken(2, by=FOREVER), openai_answer(answer))
            await generate(client, project_id, stage, model=SCRIPTED)
            await provider.asked(times=2 * number - 1)
            await server.kill()
            client = await server.client()
            await all_settled(dsn)
            [there] = stages_in(await history(client, project_id), "AWAITING_REVIEW")
            assert len(provider.requests) == 2 * number
            assert (there["kind"], there["attempt"], there["run"]["status"]) == (stage, 1, "COMPLETED")
            await decide(client, there["review"]["id"])

        half = [openai_answer(f"# A prompt that is not done {n}").broken(2, by=FOREVER) for n in range(2)]
        whole = [openai_answer(f"# Prompt {n}") for n in range(3)]
        provider.script(whole[0], *half, *whole[1:])
        await generate(client, project_id, "PROMPT_GENERATION", model=SCRIPTED)
        await provider.asked(times=6 + 3)
        await server.kill()
        client = await server.client()
        await all_settled(dsn)
        shown = await history(client, project_id)
        prompts = stages_in(shown, "AWAITING_REVIEW")
        assert [(prompt["kind"], prompt["storyIndex"], prompt["attempt"]) for prompt in prompts] == [
            ("PROMPT_GENERATION", index, 1) for index in range(3)
        ]
        assert sorted(prompt["content"] for prompt in prompts) == ["# Prompt 0", "# Prompt 1", "# Prompt 2"]
        assert len(stages_in(shown)) == 6
    assert await inconsistent(dsn) == {}
