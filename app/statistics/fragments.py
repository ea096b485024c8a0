"""Which messages were stored in a stretch of time: of sessions, or of all that a user has."""

from typing import Any

from sqlalchemy import (
    ARRAY,
    CTE,
    BigInteger,
    DateTime,
    Interval,
    Text,
    Uuid,
    any_,
    case,
    cast,
    func,
    literal,
    or_,
    select,
    true,
)

from app.db.statement import param
from app.messages.fragments import messages
from app.messages.values import MessageStatus
from app.sessions.fragments import readable, sessions

_MOMENT = DateTime(timezone=True)

UNTIL = func.coalesce(param("until", _MOMENT), func.statement_timestamp())
SINCE = func.coalesce(param("since", _MOMENT), UNTIL - param("stretch", Interval))
"""By the database's clock, as the messages' own times are, where no moments are named.

Parameters: since, until, stretch; each of the first two may be null.
"""

_BEFORE_UNTIL = messages.c.created_at < func.coalesce(param("until", _MOMENT), cast(literal("infinity", Text), _MOMENT))
"""What was stored since the statement began is not there; where no end is named, nothing is compared."""

FAILED = or_(messages.c.status == literal(MessageStatus.FAILED.value, Text), messages.c.error_code.is_not(None))


def of_sessions() -> CTE:
    """The sessions of these `ids` that the actor may read, each by itself. Columns: key, and what `stored_of` asks."""
    return (
        select(cast(sessions.c.id, Text).label("key"), *_ASKED)
        .where(readable(), sessions.c.id == any_(param("ids", ARRAY(Uuid))))
        .cte("wanted")
    )


def of_user() -> CTE:
    """The sessions of a user that may have messages in the stretch. Columns: key, and what `stored_of` asks."""
    return (
        select(sessions.c.user_id.label("key"), *_ASKED)
        .where(
            sessions.c.tenant_id == param("tenant_id"),
            sessions.c.user_id == param("user_id", Text),
            # A session that was not changed since then has no message from then on.
            sessions.c.updated_at >= SINCE,
        )
        .cte("wanted")
    )


_ASKED = (sessions.c.id.label("session_id"), sessions.c.created_at, sessions.c.last_sequence)


def stored_of(wanted: CTE, *columns: Any) -> CTE:
    """These columns of the wanted sessions' messages in the stretch of time. Columns besides: key, session_id."""
    starts = _starts(wanted)
    each = (
        select(*columns)
        .where(
            messages.c.tenant_id == param("tenant_id"),
            messages.c.session_id == starts.c.session_id,
            messages.c.sequence_number > starts.c.before,
            # True of all; but of a stretch with two ends the planner thinks that it is short, and takes the index.
            messages.c.sequence_number <= starts.c.last_sequence,
            (messages.c.created_at >= SINCE).is_(true()),
            _BEFORE_UNTIL.is_(true()),
        )
        .correlate(starts)
        .lateral("each")
    )
    return select(starts.c.key, starts.c.session_id, *each.c).select_from(starts.join(each, true())).cte("stored")


def _starts(wanted: CTE) -> CTE:
    """The number of each wanted session's last message before the stretch of time.

    Columns: key, session_id, last_sequence, before.
    """
    # Numbers and times of a session rise together: it is found from the end of the index of numbers, by which the rest
    # is then read. An index by time of its own would cost every append.
    last = (
        select(messages.c.sequence_number)
        .where(
            messages.c.tenant_id == param("tenant_id"),
            messages.c.session_id == wanted.c.session_id,
            # IS TRUE keeps the index of all the tenant's messages by time out of it.
            (messages.c.created_at < SINCE).is_(true()),
        )
        .order_by(messages.c.sequence_number.desc())
        .limit(1)
        .correlate(wanted)
        .scalar_subquery()
    )
    # A session that is younger than the stretch has none: to look for it would be to read all.
    before = case((wanted.c.created_at >= SINCE, literal(0, BigInteger)), else_=func.coalesce(last, 0))
    # Materialized: it would else be looked for once for every message.
    found = select(wanted.c.key, wanted.c.session_id, wanted.c.last_sequence, before.label("before"))
    return found.cte("starts").prefix_with("MATERIALIZED")
