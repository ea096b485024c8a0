"""graphql-core's own tests of execution, with the batch executor in the place of graphql-core's."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.forked import REPOSITORY

FETCHED = REPOSITORY / "build" / "graphql-core"
"""The source distribution of the locked version, as `upstream/fetch.sh` brings it before the tests."""

SUITES = ("tests/execution", "tests/test_star_wars_query.py", "tests/test_user_registry.py")
"""What executes operations: plain ones, subscriptions, and those in parts, which are executed as ever."""

NOT_IN_PARTS = "asks for an answer in parts and is refused: the base class passes @defer and @stream over, and so do we"
"""No served schema has these directives, so validation refuses a document that has them."""

LATER = (
    "two fields fail, one a turn of the event loop after the other: by the time that the value is completed again both "
    "have failed, and one error more is told, or another order"
)
"""What was begun by then is begun anew, so that an error is found some turns later than by graphql-core alone."""

EXCEPTIONS = {
    f"tests/execution/{name}": reason
    for reason, names in {
        NOT_IN_PARTS: (
            "test_subscribe.py::describe_subscription_publish_phase::subscribe_function_returns_errors_with_defer",
            "test_sync.py::describe_execute_synchronously_when_possible::describe_execute_sync"
            "::throws_if_encountering_async_iterable_execution_with_check_sync",
            "test_sync.py::describe_execute_synchronously_when_possible::describe_execute_sync"
            "::throws_if_encountering_async_iterable_execution_without_check_sync",
            "incremental/test_defer.py::describe_execute_defer_directive"
            "::original_execute_function_throws_error_if_deferred_and_all_is_sync",
            "incremental/test_defer.py::describe_execute_defer_directive"
            "::original_execute_function_throws_error_if_deferred_and_not_all_is_sync",
            "incremental/test_stream.py::describe_execute_stream_directive"
            "::original_execute_function_throws_error_if_streamed_and_all_is_sync",
            "incremental/test_stream.py::describe_execute_stream_directive"
            "::original_execute_function_throws_error_if_streamed_and_not_all_is_sync",
        ),
        LATER: (
            "test_cancellation.py::describe_execute_cancellation::suppresses_sibling_errors_after_a_non_null_error_bubbles",
            "test_nonnull.py::describe_execute_handles_non_nullable_types"
            "::describe_handles_multiple_errors_for_a_single_response_position"
            "::slower_nullable_after_non_nullable_root_field",
        ),
    }.items()
    for name in names
}
"""The tests of theirs that fail with our executor, each with its reason. graphql-core's `Executor` fails the first."""

FEWEST = 700
"""Tests that these suites have at least: fewer mean that they were not found."""


@pytest.mark.timeout(400)
def test_graphql_cores_own_tests_pass_with_the_batch_executor(tmp_path: Path) -> None:
    if not (FETCHED / ".locked").is_file():
        pytest.skip("graphql-core's tests were not fetched: tests/graph/executor/upstream/fetch.sh needs the network")

    outcomes = outcomes_with("batch", tmp_path)

    assert len(outcomes) >= FEWEST
    assert {name for name, outcome in outcomes.items() if outcome == "failed"} == EXCEPTIONS.keys()
    assert set(outcomes.values()) <= {"passed", "failed", "skipped"}


def outcomes_with(executor: str, folder: Path) -> dict[str, str]:
    """How each of their tests ended, in a pytest of their own settings."""
    told = folder / "outcomes.json"
    plugins = Path(__file__).parent / "upstream"
    # What a run of ours has chosen, its options and its workers, is not theirs.
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "COV_"))}
    ran = subprocess.run(
        [
            sys.executable, "-m", "pytest", "-q", "--tb=short", "-o", "addopts=",
            "-p", "in_their_place", "--executor", executor, "--outcomes", told,
            "-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:cov", "-p", "no:schemathesis", *SUITES,
        ],
        cwd=FETCHED, env={**environment, "PYTHONPATH": str(plugins), "PYTHONDONTWRITEBYTECODE": "1"},
        check=False, capture_output=True, text=True, timeout=360,
    )  # fmt: skip
    assert ran.returncode in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED), ran.stdout + ran.stderr
    # Shown where the comparison fails.
    print(ran.stdout)
    found: dict[str, str] = json.loads(told.read_text())
    return found
