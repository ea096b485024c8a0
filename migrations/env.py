"""Alembic's environment: runs on the connection it is given, one transaction per migration."""

from alembic import context
from sqlalchemy import text

from app.db.migrate import is_ours
from app.tables import metadata

LOCK_TIMEOUT = "5s"
"""A migration that waits longer for a table's lock gives up: everybody behind it in the queue would wait too."""

connection = context.config.attributes.get("connection")
if connection is None:
    raise SystemExit("run `colloquy migrate`: it knows the database and lets one process migrate at a time")

context.configure(
    connection=connection,
    target_metadata=metadata,
    transaction_per_migration=True,
    compare_server_default=True,
    include_name=is_ours,
    on_version_apply=context.config.attributes.get("on_version_apply"),
)
with context.begin_transaction():
    connection.execute(text(f"SET lock_timeout = '{LOCK_TIMEOUT}'"))
    context.run_migrations()
