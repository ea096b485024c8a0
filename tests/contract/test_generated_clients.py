"""What front ends generate from the schema compiles, and what would break them is refused."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.client import GraphQLClient
from tests.forked import REPOSITORY
from tests.node import node
from tests.processes import PATIENCE_SECONDS

CONTRACT = REPOSITORY / "contract"
MODULES = CONTRACT / "node_modules"
RELEASED = 'type Query { name: String! @deprecated(reason: "old") size(of: Int): Int kind: Kind }\nenum Kind { A }\n'
PAGE = "# Changes\n\n## Unreleased\n\nNothing has changed.\n\n## 0.1.0\n\nThe first one.\n"


@pytest.fixture(autouse=True)
def _installed() -> None:
    if not (MODULES / "graphql").is_dir():
        pytest.skip("the tools of contract/ are not installed: run `make contract`")


def ran(folder: Path, *command: object) -> subprocess.CompletedProcess[str]:
    """A program of Node, run to its end in a folder."""
    return subprocess.run(
        [node(), *map(str, command)], cwd=folder, capture_output=True, text=True, timeout=PATIENCE_SECONDS
    )


def test_front_ends_compile_over_what_they_generate(tmp_path: Path) -> None:
    written = ran(CONTRACT, "generate.js", tmp_path)
    assert written.returncode == 0, written.stderr

    checked = ran(tmp_path / "typescript", MODULES / "typescript/bin/tsc", "--project", ".")
    relay = ran(tmp_path / "relay", MODULES / "relay-compiler/cli.js", "relay.config.json")

    assert checked.returncode == 0, checked.stdout
    assert relay.returncode == 0, relay.stdout
    operations = [path.read_text() for path in (CONTRACT / "operations").iterdir()]
    names = set(re.findall(r"^(?:query|mutation|subscription) (\w+)", "\n".join(operations), re.MULTILINE))
    assert len(names) == len(operations) >= 15
    assert names < {path.name.split(".")[0] for path in (tmp_path / "relay/out").iterdir()}


ARIADNE = """[tool.ariadne-codegen]
schema_path = "{schema}"
queries_path = "{operations}"
target_package_name = "colloquy_client"
target_package_path = "{folder}"
include_comments = "none"

[tool.ariadne-codegen.scalars.DateTime]
type = "datetime.datetime"
"""

READ = """import sys
from colloquy_client import Client, SessionListQuery
assert callable(Client.completion_subscription)
page = SessionListQuery.model_validate_json(sys.stdin.read())
print(*(edge.node.title for edge in page.sessions.edges), sep=", ")
"""


async def test_client_of_python_reads_what_is_answered(client: GraphQLClient, tmp_path: Path) -> None:
    tools = CONTRACT / ".venv/bin"
    if not (tools / "ariadne-codegen").exists():
        pytest.skip("the tools of contract/ are not installed: run `make contract`")
    config = tmp_path / "ariadne.toml"
    operations = CONTRACT / "operations"
    config.write_text(ARIADNE.format(schema=REPOSITORY / "schema.graphql", operations=operations, folder=tmp_path))
    for title in ("one", "two"):
        await client.create_session(title=title)
    page = await client.data((operations / "SessionList.graphql").read_text())

    written = _python(tmp_path, tools / "ariadne-codegen", "--config", config)
    read = _python(tmp_path, tools / "python", "-c", READ, given=json.dumps(page))

    assert written.returncode == 0, written.stderr
    assert (read.returncode, read.stdout) == (0, "two, one\n"), read.stderr


def _python(folder: Path, *command: object, given: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        list(map(str, command)), cwd=folder, input=given, capture_output=True, text=True, timeout=PATIENCE_SECONDS
    )


@pytest.fixture
def released(tmp_path: Path) -> Path:
    """A project of its own, with a schema that is as it was released."""
    (tmp_path / "contract").mkdir()
    (tmp_path / "docs").mkdir()
    (tmp_path / "contract/node_modules").symlink_to(MODULES)
    for name in ("changes.js", "package.json"):
        shutil.copy(CONTRACT / name, tmp_path / "contract")
    (tmp_path / "contract/breaking.json").write_text("{}\n")
    (tmp_path / "contract/released.graphql").write_text(RELEASED)
    (tmp_path / "schema.graphql").write_text(RELEASED)
    (tmp_path / "docs/schema-changes.md").write_text(PAGE)
    return tmp_path


def changes(project: Path, *arguments: str) -> tuple[int, str]:
    """How `changes.js` ends, and what it complains of."""
    ended = ran(project / "contract", "changes.js", *arguments)
    return ended.returncode, ended.stderr


def test_what_breaks_clients_is_refused_until_somebody_says_why(released: Path) -> None:
    page = released / "docs/schema-changes.md"
    assert changes(released, "check") == (0, "")

    (released / "schema.graphql").write_text(
        "type Query { size(of: Int): Int kind: Kind colour: String }\nenum Kind { A B }\n"
    )
    code, said = changes(released, "check")
    assert (code, "Query.name: Field 'name' (deprecated) was removed" in said) == (1, True), said

    (released / "contract/breaking.json").write_text(json.dumps({"Query.name": "it is `title` now"}))
    assert changes(released, "check") == (1, "docs/schema-changes.md is not up to date: run `make schema`\n")
    assert changes(released, "write") == (0, "")
    assert changes(released, "check") == (0, "")
    told = page.read_text()
    assert [line for line in told.splitlines() if line.startswith(("#", "-"))] == [
        "# Changes", "## Unreleased",
        "### Breaking", "- Field `name` (deprecated) was removed from object type `Query`: it is `title` now",
        "### Dangerous", "- Enum value `B` was added to enum `Kind`",
        "### Safe", "- Field `colour` was added to object type `Query`",
        "## 0.1.0",
    ]  # fmt: skip

    refused = [changes(released, "release", version) for version in ("0.1.1", "0.1.0", "next")]
    assert [code for code, _ in refused] == [1, 1, 1]
    assert page.read_text() == told
    assert changes(released, "release", "0.2.0") == (0, "")
    assert page.read_text() == told.replace("## Unreleased", "## Unreleased\n\nNothing has changed.\n\n## 0.2.0")
    assert (released / "contract/released.graphql").read_text() == (released / "schema.graphql").read_text()
    assert changes(released, "check") == (0, "")

    (released / "contract/breaking.json").write_text(json.dumps({"Query.name": "once more"}))
    assert changes(released, "check") == (1, "contract/breaking.json names what does not break: Query.name\n")
