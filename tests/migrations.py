"""The migrations there are, as their scripts say: a new one is no reason to change a test."""

from alembic.script import ScriptDirectory

from app.db import migrate

EVERY_STEP = [
    f"applied {script.revision}" for script in reversed(list(ScriptDirectory(str(migrate.FOLDER)).walk_revisions()))
]
"""What is told of each when it is applied, in their order, up to the colon."""
