"""Becomes a program of PostgreSQL, run by path as `unprivileged.py ACCOUNT FOLDER LOCK PROGRAM ARGUMENT…`.

ACCOUNT is `self`, `namespace` or `user:UID:GID`; FOLDER becomes the working folder. With `-` for LOCK the process
itself becomes PROGRAM; with the number of an open file PROGRAM is left behind as nobody's child, its pid in that file.

A fresh interpreter and not `preexec_fn`: that runs Python between fork and exec of a process that may have threads,
where a lock held by another thread is held for ever. Nothing of the app is imported: `python -I -S` is up in 10 ms.
"""

import ctypes
import os
import pwd
import sys
from pathlib import Path

CLONE_NEWUSER = 0x10000000
"""From linux/sched.h; `os.unshare` exists from Python 3.12 only."""


def become(account: str) -> None:
    """Gives up root as the account says; `self` stays what it is."""
    match account.split(":"):
        case ["namespace"]:
            _enter_user_namespace()
        case ["user", uid, gid]:
            os.setgroups([])
            os.setgid(int(gid))
            os.setuid(int(uid))
        case _:
            pass


def _enter_user_namespace() -> None:
    """A namespace in which root has another number: files need no new owner, folders only root may enter stay open.

    Exec drops root's capabilities, and what belongs to root stays within reach. So this is no shield against the
    server; it satisfies PostgreSQL, which asks whether it is user 0.
    """
    # Any user but root, and one that exists: initdb looks its own name up.
    number = next(entry.pw_uid for entry in pwd.getpwall() if entry.pw_uid != 0)
    uid, gid = os.geteuid(), os.getegid()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWUSER) != 0:
        raise OSError(ctypes.get_errno(), f"unshare: {os.strerror(ctypes.get_errno())}")
    Path("/proc/self/setgroups").write_text("deny")  # the kernel accepts a gid_map only after this
    Path("/proc/self/uid_map").write_text(f"{number} {uid} 1")
    Path("/proc/self/gid_map").write_text(f"{number} {gid} 1")


def main(account: str, folder: str, lock: str, program: str, *arguments: str) -> None:
    become(account)
    os.chdir(folder)
    if not os.access(program, os.X_OK):
        raise PermissionError(f"may not run {program}")
    if lock != "-":
        if os.fork():
            return
        os.ftruncate(int(lock), 0)
        os.pwrite(int(lock), str(os.getpid()).encode(), 0)
    os.execv(program, [program, *arguments])


if __name__ == "__main__":
    main(*sys.argv[1:])
