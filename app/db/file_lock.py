"""Locks between processes; the kernel drops one with the last process that has its file open, even on kill -9."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path


def open_shared(path: Path) -> int:
    """A new open file with a shared lock on it, held until it is closed here and in all who inherited it."""
    return _open_locked(path, fcntl.LOCK_SH)


@contextlib.contextmanager
def alone(path: Path) -> Iterator[int]:
    """Waits for the lock and holds it alone; gives the open file, for a child that shall go on holding it."""
    file = _open_locked(path, fcntl.LOCK_EX)
    try:
        yield file
    finally:
        # Closed, not unlocked: unlocking would take the lock from those who inherited the open file, too.
        os.close(file)


def is_free(path: Path) -> bool:
    try:
        os.close(_open_locked(path, fcntl.LOCK_EX | fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    return True


def _open_locked(path: Path, how: int) -> int:
    # flock, not lockf: that one counts per process, so that two users inside one process would not see each other.
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)  # not inherited unless a child is told to (PEP 446)
    try:
        fcntl.flock(file, how)
    except BaseException:
        os.close(file)
        raise
    return file


def sync_folder(folder: Path) -> None:
    """Returns when the names in the folder are on the disk."""
    file = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)
