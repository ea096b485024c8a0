"""A plugin for the tests of graphql-core: what they execute, one of our executors does in the place of theirs.

It is imported by a pytest that knows nothing of this project's tests: `tests` are graphql-core's there.
"""

import json
from inspect import Parameter, signature
from pathlib import Path
from typing import Any

import graphql
import pytest
from graphql import execution

from app.graph.executor import EXECUTORS

ENTRIES = (execution.execute, execution.execute_sync, execution.subscribe, graphql.graphql, graphql.graphql_sync)
"""What executes an operation by an executor of the caller's choice, which is graphql-core's own if none is chosen."""

_OUTCOMES = pytest.StashKey[dict[str, str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Which executor, and where to tell how the tests ended."""
    parser.addoption("--executor", choices=list(EXECUTORS), default="batch")
    parser.addoption("--outcomes", type=Path)


def pytest_configure(config: pytest.Config) -> None:
    """Called before any of the tests is imported: they find ours under the names that they import."""
    ours = EXECUTORS[config.getoption("--executor")]
    for entry in ENTRIES:
        _by_default(entry, ours)
    for module in (graphql, execution):
        vars(module)["Executor"] = ours
    config.stash[_OUTCOMES] = {}


def _by_default(entry: Any, ours: type[Any]) -> None:
    """The function stays the same one, however many names it was imported by."""
    optional = [each.name for each in signature(entry).parameters.values() if each.default is not Parameter.empty]
    entry.__defaults__ = tuple(
        ours if name == "executor_class" else value for name, value in zip(optional, entry.__defaults__, strict=True)
    )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    """Keep the worst of what a test's three parts came to."""
    report = yield
    outcomes = item.config.stash[_OUTCOMES]
    if report.outcome != "passed" or item.nodeid not in outcomes:
        outcomes[item.nodeid] = report.outcome
    return report


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Tell how each test ended."""
    where: Path | None = session.config.getoption("--outcomes")
    if where is not None:
        where.write_text(json.dumps(session.config.stash[_OUTCOMES]))
