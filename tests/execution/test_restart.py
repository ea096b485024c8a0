"""What was taken on outlives the process: its answer is followed from where one was, and tried again."""

from pathlib import Path

from tests.execution.scenes import ECHO, executed, key_of, stored_executions
from tests.followers import Kept
from tests.processes import serving
from tests.prompts.scenes import a_template
from tests.worlds import rows

SLOWLY = {"COLLOQUY_LOCAL_WORDS_PER_SECOND": "20", "COLLOQUY_JOB_LEASE_SECONDS": "1"}
QUICKLY = {"COLLOQUY_LOCAL_WORDS_PER_SECOND": "0", "COLLOQUY_JOB_LEASE_SECONDS": "1"}

WORDS = " ".join(f"word{number}" for number in range(60))


async def test_prompt_whose_process_dies_is_resumed_interrupted_and_tried_again(tmp_path: Path, dsn: str) -> None:
    async with serving(tmp_path, DATABASE_URL=dsn, **SLOWLY) as served, served.client() as client:
        template = await a_template(client, "words", WORDS)
        payload = await executed(client, templateId=template, model=ECHO)
        kept = Kept(payload["run"]["id"])
        await kept.follow(await served.address(), events=4)
        await served.kill()

    async with serving(tmp_path, DATABASE_URL=dsn, **QUICKLY) as served, served.client() as client:
        await kept.follow_on([await served.address()])
        again = await client.mutate("retryRun", "run { id promptExecution { id } }", {"runId": kept.run_id})
        whole = Kept(again["run"]["id"])
        await whole.follow_on([await served.address()])

    assert kept.kind == "CompletionInterrupted"
    assert WORDS.startswith(kept.text.strip())
    assert (whole.kind, whole.text) == ("CompletionFinished", WORDS)
    assert again["run"]["promptExecution"]["id"] != payload["promptExecution"]["id"]
    found = await stored_executions(dsn)
    assert [str(row["run_id"]) for row in found] == [key_of(kept.run_id), key_of(whole.run_id)]
    assert len({row["template_version_id"] for row in found}) == 1
    assert [row["status"] for row in await rows(dsn, "SELECT status FROM runs ORDER BY created_at")] == [
        "interrupted", "completed",
    ]  # fmt: skip
