"""Clusters of the embedded server, made once and copied, and processes that use them."""

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.db.embedded import EmbeddedPostgres
from tests.db.clusters import FAST, Open, Run, UserProcess, end_processes


@pytest.fixture(scope="session")
def made_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("made") / "pg"
    server = EmbeddedPostgres(root, settings=FAST)
    server.start()
    assert server.stop()
    return root


@pytest.fixture
def empty_root(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "pg"
    end_processes(tmp_path / "pg")


@pytest.fixture
def root(made_root: Path, empty_root: Path) -> Path:
    """A cluster that was stopped, so that a test need not wait for initdb."""
    shutil.copytree(made_root, empty_root)
    return empty_root


@pytest.fixture
def use() -> Iterator[Open]:
    users: list[EmbeddedPostgres] = []

    def new(root: Path, settings: dict[str, str] = FAST) -> EmbeddedPostgres:
        users.append(EmbeddedPostgres(root, settings=settings))
        return users[-1]

    yield new
    for user in users:
        user.stop()


@pytest.fixture
def run() -> Iterator[Run]:
    with contextlib.ExitStack() as stack:

        def new(*words: str | Path) -> UserProcess:
            action, root, *prefix = words
            process = UserProcess(str(action), Path(root), *map(str, prefix))
            stack.callback(process.close)
            return process

        yield new
