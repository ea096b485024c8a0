"""The pictures of the docs can be taken anew: the script that takes them finds what it shows."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from app.db.database import Database
from app.messages.pipeline import MessagePipeline
from app.seeding.runner import seed
from tests.forked import REPOSITORY
from tests.seeding.worlds import a_plan, measures_of
from tests.web.screenshot import take

DOCS = REPOSITORY / "docs"


async def test_every_picture_of_the_docs_is_taken(
    chromium: str, served_url: str, database: Database, pipeline: MessagePipeline, tmp_path: Path
) -> None:
    plan = replace(a_plan(users=3, sessions=80, projects=4), now=datetime.now(UTC))
    await seed(database, measures_of(pipeline), plan)

    await take(served_url, tmp_path, quiet_milliseconds=0)

    taken = _pictures(tmp_path)
    assert taken.keys() == _pictures(DOCS).keys()
    assert min(taken.values()) > 10_000


def _pictures(folder: Path) -> dict[str, int]:
    """The sizes of those in it, in bytes, by their names."""
    return {picture.name: picture.stat().st_size for picture in folder.glob("*.png")}
