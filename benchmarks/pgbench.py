"""PostgreSQL's own load generator, running a statement of ours as it stands."""

import asyncio
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson

from app.db.scopes import UnitOfWork
from app.db.statement import Command, R
from benchmarks.cluster import Cluster

_TPS = re.compile(r"^tps = ([0-9.]+)", re.MULTILINE)
_NOTHING = "nothing"

NEW_ID = "(lpad(to_hex(:turn::bigint), 16, '0') || lpad(to_hex(:client_id::bigint), 16, '0'))::uuid"
"""An id that no other client makes, rising as UUIDv7 does; the same wherever it stands in the statement."""


def chosen_session(count: int) -> str:
    """The id of one of the seeded sessions 1 to `count`, by chance."""
    return f"('0190b6a2-0000-7000-8000-' || lpad((:chance::bigint % {count} + 1)::text, 12, '0'))::uuid"


class Overheard(UnitOfWork):
    """Passes commands on, and remembers the last one with its values."""

    def __init__(self, inner: UnitOfWork) -> None:
        super().__init__(_no_queries, None, lambda _grown: None)
        self._inner = inner
        self.command: Command[Any] | None = None
        self.values: dict[str, Any] = {}

    async def run(self, command: Command[R], **values: object) -> list[R]:
        """Run it, and remember."""
        self.command, self.values = command, values
        return await self._inner.run(command, **values)

    def script(self, instead: Mapping[str, str]) -> "Script":
        """The remembered command for pgbench, with expressions instead of some of its parameters."""
        assert self.command is not None
        expressions = {self.values[name]: expression for name, expression in instead.items()}
        variables: dict[str, str] = {_NOTHING: "none"}
        arguments = self.command.arguments(self.values)

        def place(found: re.Match[str]) -> str:
            number = int(found[1])
            value = arguments[number - 1]
            if isinstance(value, UUID) and value in expressions:
                return expressions[value]
            if value is None:
                # pgbench knows no null; a literal one would let the planner leave out what the pipeline's plan has.
                return f"NULLIF(:{_NOTHING}::text, 'none')"
            variables[f"p{number}"] = _as_text(value)
            return f":p{number}"

        statement = re.sub(r"\$(\d+)", place, self.command.sql)
        return Script(
            "\\set turn :turn + 1\n\\set chance random(0, 1000000000)\n" + " ".join(statement.split()) + ";\n",
            {**variables, "turn": "0"},
        )


class Script:
    """What pgbench runs, again and again."""

    def __init__(self, text: str, variables: Mapping[str, str]) -> None:
        self._text = text
        self._variables = variables

    async def per_second(self, cluster: Cluster, dsn: str, *, clients: int, seconds: float) -> float:
        """How often, with so many clients; the time to connect is left out."""
        script = cluster.folder / "append.pgbench"
        await asyncio.to_thread(script.write_text, self._text)
        # pgbench counts whole seconds only.
        options = [
            "-n",
            "-M",
            "prepared",
            "-c",
            str(clients),
            "-j",
            str(min(clients, 2)),
            "-T",
            str(max(1, round(seconds))),
        ]
        options += [word for name, value in self._variables.items() for word in ("-D", f"{name}={value}")]
        printed = await _run(cluster.bin_folder / "pgbench", *options, "-f", str(script), *cluster.client_options(dsn))
        found = _TPS.search(printed)
        if found is None:
            raise RuntimeError(f"pgbench says nothing of its speed: {printed}")
        return float(found[1])


async def _run(program: Path, *arguments: str) -> str:
    process = await asyncio.create_subprocess_exec(
        program, *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    printed, complaints = await process.communicate()
    if process.returncode != 0:
        raise RuntimeError(f"{program.name} failed: {complaints.decode()}")
    return printed.decode()


def _as_text(value: object) -> str:
    match value:
        case bool():
            return str(value).lower()
        case dict():
            return orjson.dumps(value).decode()
        case list():
            return "{" + ",".join(f'"{item}"' for item in value) + "}"
        case _:
            return str(value)


def _no_queries() -> Any:
    raise AssertionError("an append that stores something asks nothing")
