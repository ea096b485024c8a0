"""A primary and a standby that streams from it, and a look at which of them was asked what."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from app.db.embedded import EmbeddedPostgres
from tests.conftest import address_of
from tests.db.clusters import end_processes

SETTINGS = {"fsync": "off", "log_statement": "all", "max_standby_streaming_delay": "0"}


@dataclass(frozen=True, slots=True)
class Pair:
    """Two servers; what is written on the primary is on the standby a moment later."""

    folder: Path
    primary: EmbeddedPostgres
    standby: EmbeddedPostgres

    def addresses(self, database: str = "postgres") -> tuple[str, str]:
        """The address of a database on the primary, and on the standby."""
        primary, standby = self.primary.start(), self.standby.start()
        return address_of(primary, database), address_of(standby, database)

    def read_on_standby(self, words: str) -> int:
        """How often the standby was asked something with these words."""
        return (self.folder / "standby" / "log").read_text(errors="replace").count(words)

    def kill_standby(self) -> None:
        """End it at once, with all its connections."""
        end_processes(self.folder / "standby")


@contextmanager
def a_pair(folder: Path) -> Iterator[Pair]:
    """Both, in a folder, while the block lasts."""
    primary = EmbeddedPostgres(folder / "primary", settings=SETTINGS)
    standby = EmbeddedPostgres(folder / "standby", settings=SETTINGS)
    place = primary.start()
    try:
        copy = folder / "standby" / "data"
        copy.parent.mkdir()
        subprocess.run(
            [str(primary.bin_folder / "pg_basebackup"), "-d", place, "-D", str(copy), "-R", "-X", "stream", "-c",
             "fast", "--no-sync"],
            check=True, capture_output=True, timeout=60,
        )  # fmt: skip
        copy.chmod(0o700)
        # The copy belongs to whoever ran the program; the server's account is that of the primary's files.
        owner = (folder / "primary" / "data").stat()
        for path in (copy, *copy.rglob("*")):
            shutil.chown(path, owner.st_uid, owner.st_gid)
        standby.start()
        yield Pair(folder, primary, standby)
    finally:
        standby.stop()
        primary.stop()
        end_processes(folder / "standby")
        end_processes(folder / "primary")
