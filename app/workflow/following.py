"""Following what the reviewers of a tenant are to decide."""

from functools import partial

from app.db.database import Database
from app.streams.feed import POLL_SECONDS
from app.streams.inboxes import Inboxes
from app.workflow.loaders import read_pending, still_pending
from app.workflow.models import Review
from app.workflow.values import ReviewInbox


class PendingReviews(Inboxes[ReviewInbox, Review]):
    """One per process: the inboxes of tenants whose reviews are followed here, over all their projects."""

    def __init__(self, database: Database, poll_seconds: float = POLL_SECONDS) -> None:
        super().__init__(
            ReviewInbox.of, partial(read_pending, database), partial(still_pending, database), poll_seconds
        )
