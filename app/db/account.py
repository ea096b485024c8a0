"""The account that PostgreSQL runs as: it refuses to be root."""

import os
import pwd
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_BECOME = str(Path(__file__).with_name("unprivileged.py"))


@dataclass(frozen=True, slots=True)
class Account:
    """Who runs the server, in the words of unprivileged.py, and who owns its files."""

    name: str
    uid: int
    gid: int

    def own(self, path: Path) -> None:
        if path.lstat().st_uid != self.uid:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)

    def command(self, folder: Path, lock: str, program: Path, *arguments: str) -> list[str]:
        """What to execute so that the program runs in the folder as this account; `lock` as in unprivileged.py."""
        return [sys.executable, "-I", "-S", _BECOME, self.name, str(folder), lock, str(program), *arguments]

    def ask_version(self, folder: Path, postgres: Path, env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
        """The answer of `postgres --version`; a failure if the account may not enter the folder or run the program."""
        command = self.command(folder, "-", postgres, "--version")
        return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, env=env, timeout=10)


def owner_of(cluster: Path) -> Account:
    """The account of an existing cluster. PermissionError if that is neither ours nor one that we may become."""
    ours, found = os.geteuid(), cluster.stat()
    if found.st_uid == ours:
        return myself()
    if ours != 0:
        raise PermissionError(f"{cluster} belongs to user {found.st_uid}, not to you")
    return _user(found.st_uid, found.st_gid)


def myself() -> Account:
    """Us; as root in a user namespace, where the same files belong to us under another number."""
    uid = os.geteuid()
    return Account("self" if uid else "namespace", uid, os.getegid())


def nobody() -> Account:
    try:
        entry = pwd.getpwnam("nobody")
    except KeyError:
        raise PermissionError("PostgreSQL must not be root: neither user namespaces nor a user `nobody` here") from None
    return _user(entry.pw_uid, entry.pw_gid)


def _user(uid: int, gid: int) -> Account:
    return Account(f"user:{uid}:{gid}", uid, gid)
