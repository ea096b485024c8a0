"""Following what a user is asked to approve."""

from functools import partial

from app.db.database import Database
from app.streams.feed import POLL_SECONDS
from app.streams.inboxes import Inboxes
from app.tools.approvals import read_awaited, still_awaiting
from app.tools.models import ToolExecution
from app.tools.values import Inbox


class Approvals(Inboxes[Inbox, ToolExecution]):
    """One per process: the inboxes of users who follow here what awaits their approval, over all their sessions."""

    def __init__(self, database: Database, poll_seconds: float = POLL_SECONDS) -> None:
        super().__init__(Inbox.of, partial(read_awaited, database), partial(still_awaiting, database), poll_seconds)
