"""The page of requirements is complete and true: each has its line, and the test and the files that it names exist."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "requirements.md").read_text()

GROUPS = {"S0": 20, "S1": 39, "S2": 33, "S3": 25, "S4": 21}
"""How many requirements each group has."""

LINES = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.splitlines()
    if re.match(r"\| S[0-4]-\d+ \|", line)
]
TESTS = {line[0]: re.findall(r"`(tests/[\w/]+\.py::[\w:]+)`", line[3]) for line in LINES}


@cache
def functions_of(file: Path) -> set[str]:
    """The tests of a module: functions, and those of classes as `Class::function`."""
    found = set()
    for node in ast.parse(file.read_text()).body:
        for name, inside in [(f"{node.name}::", node.body)] if isinstance(node, ast.ClassDef) else [("", [node])]:
            found |= {
                f"{name}{each.name}" for each in inside if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)
            }
    return {name for name in found if name.rpartition("::")[2].startswith("test_")}


@pytest.mark.parametrize("group", GROUPS)
def test_every_requirement_has_one_line_in_its_groups_table(group: str) -> None:
    [table] = re.findall(rf"^## {group}: .*?(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)

    expected = [f"{group}-{number}" for number in range(1, GROUPS[group] + 1)]
    assert re.findall(r"^\| (\S+-\d+) \|", table, re.MULTILINE) == expected


def test_every_line_is_whole() -> None:
    assert [line for line in LINES if len(line) != 4 or not all(line)] == []
    assert [id_ for id_, found in TESTS.items() if not found] == []


def test_every_test_that_is_named_exists() -> None:
    missing = {}
    for id_, named in TESTS.items():
        for test in named:
            file, _, function = test.partition("::")
            if not (ROOT / file).is_file() or function not in functions_of(ROOT / file):
                missing[id_] = test

    assert missing == {}


def test_every_file_that_is_named_exists() -> None:
    named = {id_: re.findall(r"`([\w./-]+)`|\]\(([\w.-]+)\)", place) for id_, _, place, _ in LINES}

    assert [id_ for id_, found in named.items() if not found] == []
    assert [
        (id_, file or page)
        for id_, found in named.items()
        for file, page in found
        if not (ROOT / (file or f"docs/{page}")).is_file()
    ] == []


def test_suite_fails_below_the_coverage_that_was_asked_for() -> None:
    """S3-21."""
    [command] = re.findall(
        r"^test: .*\n(?:\t.*\n)*?\t@.* -m pytest (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE
    )

    assert {"--cov", "--cov-fail-under=95"} <= set(command.split())
