"""Takes a migrated database to one in which every table of tenants is in parts, by the hash of the tenant."""

from typing import Any

import asyncpg

PARTS = 4

_TABLES = """
SELECT c.oid, c.relname AS name, coalesce(array_to_string(c.reloptions, ', '), '') AS options
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id'
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' ORDER BY c.relname"""
_KEYS = """
SELECT 'ALTER TABLE ' || conrelid::regclass || ' ADD CONSTRAINT ' || quote_ident(conname) || ' '
    || pg_get_constraintdef(oid) AS sql
FROM pg_constraint WHERE conrelid = ANY($1) AND contype = ANY($2) ORDER BY conname"""
_INDEXES = """
SELECT pg_get_indexdef(i.indexrelid, 0, true) AS sql FROM pg_index i
WHERE i.indrelid = ANY($1)
AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = i.indexrelid AND c.contype IN ('p', 'u'))"""
_TRIGGERS = "SELECT pg_get_triggerdef(oid, true) AS sql FROM pg_trigger WHERE tgrelid = ANY($1) AND NOT tgisinternal"
_INDEXES_OF_PARTS = """
SELECT part.oid::regclass AS name, whole.relname || substring(held.relname FROM '_[0-9]+$') AS named
FROM pg_inherits h JOIN pg_class part ON part.oid = h.inhrelid JOIN pg_class whole ON whole.oid = h.inhparent
JOIN pg_index i ON i.indexrelid = part.oid JOIN pg_class held ON held.oid = i.indrelid
WHERE whole.relkind = 'I' AND i.indisunique"""
_STRANGERS = """
SELECT conname FROM pg_constraint WHERE contype = 'f' AND conrelid = ANY($1) AND confrelid <> ALL($1)"""


async def partition(dsn: str) -> list[str]:
    """Do it, in one transaction; the names of the tables. Rows move along."""
    connection = await asyncpg.connect(dsn)
    try:
        async with connection.transaction():
            return await _partition(connection)
    finally:
        await connection.close()


async def _partition(connection: Any) -> list[str]:
    # Definitions name tables without their schema then: they are read here, and run where the new tables are.
    await connection.execute("SET LOCAL search_path = public")
    tables = await connection.fetch(_TABLES)
    oids, names = [table["oid"] for table in tables], [table["name"] for table in tables]
    assert await connection.fetch(_STRANGERS, oids) == [], "a key that leads out of the tenant's tables"
    found = [
        await connection.fetch(_KEYS, oids, [b"p", b"u"]),
        await connection.fetch(_INDEXES, oids),
        await connection.fetch(_KEYS, oids, [b"f"]),
        await connection.fetch(_TRIGGERS, oids),
    ]
    await connection.execute(f"LOCK TABLE {', '.join(names)} IN ACCESS EXCLUSIVE MODE")
    await connection.execute("CREATE SCHEMA parts; SET LOCAL search_path = parts, public")
    for table in tables:
        await _make(connection, table["name"], table["options"])
    for row in [row for rows in found for row in rows]:
        await connection.execute(row["sql"])
    # As Citus names those of its shards: what a key refuses is known by the name that the error gives.
    for row in await connection.fetch(_INDEXES_OF_PARTS):
        await connection.execute(f"ALTER INDEX {row['name']} RENAME TO {row['named']}")
    await connection.execute(f"DROP TABLE {', '.join(f'public.{name}' for name in names)}")
    for name in names:
        for table in (name, *(f"{name}_{part}" for part in range(PARTS))):
            await connection.execute(f"ALTER TABLE parts.{table} SET SCHEMA public")
    await connection.execute("DROP SCHEMA parts")
    return names


async def _make(connection: Any, name: str, options: str) -> None:
    """The table in its parts, with its columns, checks and rows."""
    like = "INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING GENERATED INCLUDING STORAGE INCLUDING COMPRESSION"
    await connection.execute(f"CREATE TABLE {name} (LIKE public.{name} {like}) PARTITION BY HASH (tenant_id)")
    for part in range(PARTS):
        held = f"FOR VALUES WITH (MODULUS {PARTS}, REMAINDER {part})" + (f" WITH ({options})" if options else "")
        await connection.execute(f"CREATE TABLE {name}_{part} PARTITION OF {name} {held}")
    await connection.execute(f"INSERT INTO {name} SELECT * FROM public.{name}")
