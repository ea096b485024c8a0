"""A command runs under one correlation id, which all of its statements bear."""

import json
from pathlib import Path

import pytest

from tests.cli.commands import colloquy
from tests.client import GraphQLClient
from tests.conversations import rows

TALK = '{"messages": [{"role": "user", "content": "hello"}, {"role": "assistant", "content": "hi"}]}\n'


@pytest.mark.parametrize(
    "arguments",
    [
        ("import", "talks.jsonl"), ("export", "--user", "alice", "--output", "out.jsonl"),
        ("erase", "--user", "alice", "--yes"), ("seed", "--users", 2, "--sessions", 3, "--messages", 4),
    ],
    ids=lambda arguments: arguments[0],
)  # fmt: skip
async def test_all_statements_of_a_command_bear_its_id(
    client: GraphQLClient, dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[object, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "talks.jsonl").write_text(TALK)
    await client.say(await client.create_session())
    before = {row["correlation_id"] for row in await rows(dsn, "SELECT correlation_id FROM events")}

    result = await colloquy(*arguments, DATABASE_URL=dsn, COLLOQUY_LOG_SQL="true")

    assert result.exit_code == 0, result.stderr
    lines = [json.loads(line) for line in result.stderr.splitlines() if line.startswith("{")]
    [found] = {line.get("correlation_id") for line in lines if line["event"] == "statement"}
    assert found
    after = {row["correlation_id"] for row in await rows(dsn, "SELECT correlation_id FROM events")}
    if arguments[0] == "import":
        assert after - before == {found}
