"""The migration makes what PgQueuer would make itself."""

import pytest
from pgqueuer.core.qm import QueueManager

from app.db.database import Database
from app.db.listening import Listener
from app.jobs.driver import PoolDriver
from app.jobs.library import NAMES, JobQueries
from tests.conftest import execute
from tests.conversations import rows

SHAPE = {
    "columns": """
        SELECT table_name, column_name, data_type, udt_name, is_nullable, column_default, is_identity
        FROM information_schema.columns WHERE table_schema = 'public' AND table_name LIKE 'pgqueuer%' ORDER BY 1, 2""",
    "indexes": "SELECT indexname, indexdef FROM pg_indexes WHERE tablename LIKE 'pgqueuer%' ORDER BY 1",
    "constraints": """
        SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint
        WHERE conrelid::regclass::text LIKE 'pgqueuer%' ORDER BY 1""",
    "labels": """
        SELECT enumlabel FROM pg_enum WHERE enumtypid = 'pgqueuer_status'::regtype ORDER BY enumsortorder""",
    "triggers": "SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgrelid = 'pgqueuer'::regclass",
    "kept": "SELECT relname, relpersistence FROM pg_class WHERE relname LIKE 'pgqueuer%' ORDER BY 1",
}


@pytest.mark.parametrize("part", SHAPE)
async def test_tables_are_those_of_the_library(dsn: str, empty_dsn: str, part: str) -> None:
    library = await Database.connect(empty_dsn)
    await execute(empty_dsn, JobQueries(PoolDriver(library, Listener(empty_dsn))).qbe.build_install_query())
    await library.close()

    migrated, installed = await rows(dsn, SHAPE[part]), await rows(empty_dsn, SHAPE[part])

    assert [tuple(row) for row in migrated] == [tuple(row) for row in installed]
    assert migrated


async def test_library_finds_what_it_needs(dsn: str, database: Database) -> None:
    queries = JobQueries(PoolDriver(database, Listener(dsn)))

    await QueueManager(queries, channel=NAMES.channel).verify_structure()
