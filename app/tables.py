"""Every table, for Alembic: importing this module fills `Base.metadata`."""

import app.attachments.models
import app.budgets.models
import app.events.models
import app.execution.models
import app.idempotency.models
import app.identity.models
import app.messages.models
import app.prompts.models
import app.runs.models
import app.search.models
import app.sessions.models
import app.tools.models
import app.workflow.models  # noqa: F401
from app.db.base import Base

metadata = Base.metadata
