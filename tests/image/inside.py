"""Runs `colloquy` as an image does: `python inside.py LOCK ARGUMENTS…`, with the image's folder as the current one.

What belongs to another distribution than those of the lock cannot be imported, as if it were not installed, and no file
can be written, as on a file system that is read only.
"""

import errno
import os
import re
import sys
import sysconfig
from pathlib import Path

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
_CHANGES = frozenset({
    "os.chmod", "os.chown", "os.link", "os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.symlink", "os.truncate",
})  # fmt: skip
"""Audit events of what changes the file system; all begin with a path."""


_MODULE = re.compile(r"^(\w+)(?:/__init__\.py|\.py|\.[\w-]+\.so),", re.MULTILINE)
"""How a distribution's list of files names its modules and packages."""


class Refusal:
    """Refuses the modules of all distributions that are installed here and are not `locked`."""

    def __init__(self, locked: set[str]) -> None:
        # Not packages_distributions(): it takes seconds to look at every file of every distribution.
        folders = list(Path(sysconfig.get_path("purelib")).glob("*.dist-info"))
        self._refused: set[str] = set()
        kept: set[str] = set()
        for folder in folders:
            of_lock = normalized(folder.name.partition("-")[0]) in locked
            (kept if of_lock else self._refused).update(_MODULE.findall((folder / "RECORD").read_text()))
        self._refused -= kept

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        """Nothing, so that others look for the module; or ModuleNotFoundError."""
        if name.partition(".")[0] in self._refused:
            raise ModuleNotFoundError(f"No module named {name!r}: it is of no distribution in the lock", name=name)


def refuse_writing(event: str, arguments: tuple[object, ...]) -> None:
    """An audit hook: OSError for whoever would change a file; devices are none."""
    if event == "open":
        path, _, flags = arguments
        if not (isinstance(path, str | bytes) and isinstance(flags, int) and flags & _WRITING):
            return
        if os.fsdecode(path).startswith("/dev/"):
            return
    elif event not in _CHANGES:
        return
    raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(arguments[0]))


def normalized(distribution: str) -> str:
    """A distribution's name as locks write it."""
    return re.sub(r"[-_.]+", "-", distribution).lower()


def distributions_of(lock: Path) -> dict[str, str]:
    """The distributions that a lock names, with their versions."""
    return dict(re.findall(r"^([a-z0-9-]+)(?:\[[a-z,]+\])?==([^ ;\\]+)", lock.read_text(), re.MULTILINE))


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    sys.meta_path.insert(0, Refusal({*distributions_of(Path(sys.argv[1])), "colloquy"}))
    # The image's folder, and not the clone that is installed here.
    sys.path.insert(0, str(Path.cwd()))
    sys.addaudithook(refuse_writing)
    import app.cli

    if not Path(app.cli.__file__).is_relative_to(Path.cwd()):
        sys.exit(f"{app.cli.__file__} is not of this image")
    sys.argv = ["colloquy", *sys.argv[2:]]
    app.cli.main()
