"""Statistics in the graph."""

from collections.abc import Awaitable
from datetime import datetime
from decimal import Decimal
from typing import Annotated

import strawberry
from strawberry import field

from app.core.actor import UserId
from app.graph.context import Info
from app.graph.enums import described
from app.graph.queries import query
from app.graph.scalars import BigInt
from app.sessions.graphql import ChatSessionType
from app.sessions.graphql import session_id as session_named
from app.sessions.loaders import SessionById
from app.sessions.models import ChatSession
from app.statistics import service
from app.statistics.service import StatisticsCache, WantedSeries
from app.statistics.values import (
    KeyCount,
    MessageGrouping,
    MessagePoint,
    PersistenceStatistics,
    SessionActivity,
    SessionStatistics,
    StatisticsScope,
    UsageBucket,
    UsageGrouping,
    UsagePoint,
    UserStatistics,
)

DEFAULT_HOURS = 24
DEFAULT_SESSIONS = 10

described(
    StatisticsScope,
    "Which messages of a session count.",
    {
        StatisticsScope.ALL: "All that were ever stored, deleted ones and other branches included: what was spent.",
        StatisticsScope.ACTIVE_PATH: "Those from the first one to the active leaf: the conversation as it is read.",
    },
)
described(
    UsageBucket,
    "How long a point of a series lasts, by the calendar of its time zone.",
    {
        UsageBucket.HOUR: "60 minutes from a full hour of the clock; one that comes twice in autumn is two.",
        UsageBucket.DAY: "From midnight to midnight: 23 to 25 hours.",
        UsageBucket.WEEK: "From Monday to Monday.",
        UsageBucket.MONTH: "From the first to the first.",
    },
)
described(
    MessageGrouping,
    "What a series of messages is told apart by. Messages without it, such as questions by model, are left out.",
    {
        MessageGrouping.NONE: "Nothing: one point for each bucket, of all messages.",
        MessageGrouping.MODEL: "The model that a message names.",
        MessageGrouping.ROLE: "The role.",
        MessageGrouping.INTENT: "The intent that was found.",
    },
)
described(
    UsageGrouping,
    "What a series is told apart by.",
    {
        UsageGrouping.NONE: "Nothing: one point for each bucket.",
        UsageGrouping.MODEL: "The model, as `provider:model`.",
        UsageGrouping.PROVIDER: "The model's provider.",
    },
)


@strawberry.type(name="KeyCount", description="How often there is something.")
class KeyCountType:
    key: str = field(description="What is counted.")
    count: int = field(description="How often.")


Counts = list[KeyCountType]


@strawberry.type(name="SessionStatistics", description="What a session adds up to.")
class SessionStatisticsType:
    total_messages: int = field(description="How many messages, deleted ones included.")
    total_tokens: BigInt = field(description="Their tokens.")
    estimated_cost: Decimal = field(description="What they cost, in US dollars, as far as prices are known.")
    duration_ms: BigInt = field(description="Sum of the processing times of the answers.")
    tool_executions: int = field(description="How many of its tool calls were executed, or are to be.")
    average_response_time_ms: float = field(
        description="Mean time from a question to the first complete answer that was begun after it; 0 without any."
    )
    messages_by_role: Counts = field(description="Messages by role, the highest count first.")
    tool_usage_count: Counts = field(
        description="Tool calls by the tool's name, the highest count first; at most 100 names."
    )


@strawberry.type(name="UserStatistics", description="What the sessions of a user add up to.")
class UserStatisticsType:
    total_sessions: int = field(description="How many sessions there are.")
    total_messages: BigInt = field(description="How many messages were ever stored in them.")
    total_tokens_used: BigInt = field(description="Their tokens.")
    total_cost: Decimal = field(description="What they cost, in US dollars, as far as prices are known.")
    first_session_date: datetime | None = field(description="When the oldest session was created.")
    last_session_date: datetime | None = field(description="When the newest session was created.")
    model_usage: Counts = field(description="Answers by model, the highest count first; at most 100 models.")
    most_used_tools: Counts = field(description="The ten tools that were called most.")


@strawberry.type(name="SessionActivity", description="What was stored in one session in a stretch of time.")
class SessionActivityType:
    messages: int = field(description="How many messages.")
    failed_messages: int = field(description="How many of them have failed, or have an error code.")
    tokens: BigInt = field(description="Their tokens.")

    @field(graphql_type=ChatSessionType | None, description="The session; null when it was deleted meanwhile.")
    def session(self, info: Info, root: strawberry.Parent[SessionActivity]) -> Awaitable[ChatSession | None]:
        return info.context.loader(SessionById).load(root.session_id)


@strawberry.type(name="MessagePersistenceStatistics", description="How the messages of a stretch of time were stored.")
class MessagePersistenceStatisticsType:
    since: datetime = field(description="The moment from which messages count.")
    until: datetime = field(description="When they were counted.")
    total_messages: int = field(description="How many messages were stored.")
    total_tokens: BigInt = field(description="Their tokens.")
    failed_messages: int = field(description="How many of them have failed, or have an error code.")
    error_rate: float = field(description="Their share of all messages, from 0 to 1.")
    processing_time_p50_ms: int | None = field(
        description="Half of the answers whose processing time was reported took at most so long."
    )
    processing_time_p95_ms: int | None = field(description="95 of 100 of them took at most so long.")
    pipeline_time_p50_ms: float | None = field(
        description="For half of the messages, finding out about them before they were stored took at most so long."
    )
    pipeline_time_p95_ms: float | None = field(description="For 95 of 100 messages, at most so long.")
    messages_by_role: Counts = field(description="Messages by role, the highest count first.")
    messages_by_status: Counts = field(description="Messages by status, the highest count first.")
    intents: Counts = field(description="Messages by intent, the highest count first; at most 100 intents.")
    warnings: Counts = field(description="Warnings of the pipeline by code, the highest count first; at most 100.")

    @field(
        graphql_type=Counts,
        description="Tool calls of the messages by the tool's name, the highest count first; at most 100 names.",
    )
    async def tools(self, info: Info, root: strawberry.Parent[PersistenceStatistics]) -> tuple[KeyCount, ...]:
        return await service.tools_of(info.context.loaders, root)

    @field(
        graphql_type=list[SessionActivityType],
        description="The sessions with the most of the messages, the highest count first.",
    )
    async def most_active_sessions(
        self,
        info: Info,
        root: strawberry.Parent[PersistenceStatistics],
        first: Annotated[int, strawberry.argument(description="How many at most: 1 to 100.")] = DEFAULT_SESSIONS,
    ) -> tuple[SessionActivity, ...]:
        return await service.most_active_sessions(info.context.loaders, root, first)


@strawberry.type(name="UsagePoint", description="What runs used that ended in one bucket of time.")
class UsagePointType:
    start: datetime = field(description="The first moment of the bucket.")
    end: datetime = field(description="The first moment after it.")
    key: str | None = field(description="The model or the provider; null where the series is not grouped.")
    runs: int = field(description="How many runs ended.")
    errors: int = field(description="How many of them failed or were interrupted.")
    input_tokens: BigInt = field(description="Tokens that were read for the full price.")
    cached_input_tokens: BigInt = field(description="Tokens that were read from the provider's cache.")
    cache_write_tokens: BigInt = field(description="Tokens that were read and written to the provider's cache.")
    output_tokens: BigInt = field(description="Tokens that were written.")
    reasoning_tokens: BigInt = field(description="Tokens of thought that is not shown.")
    total_tokens: BigInt = field(description="All of them: the kinds do not overlap.")
    estimated_runs: int = field(description="How many runs have an estimate in place of the provider's count.")
    unpriced_runs: int = field(description="How many runs have no known price: they are not in `cost`.")
    cost: Decimal | None = field(description="In US dollars, of the runs with a known price; null when none has one.")


@strawberry.type(name="MessagePoint", description="What was stored in one bucket of time.")
class MessagePointType:
    start: datetime = field(description="The first moment of the bucket.")
    end: datetime = field(description="The first moment after it.")
    key: str | None = field(description="What the series is told apart by; null where it is not grouped.")
    messages: int = field(description="How many messages were stored.")
    failed_messages: int = field(description="How many of them have failed, or have an error code.")
    tokens: BigInt = field(description="Their tokens.")
    processing_time_p50_ms: int | None = field(
        description="Half of the answers whose processing time was reported took at most so long; null without any."
    )
    processing_time_p95_ms: int | None = field(description="95 of 100 of them took at most so long.")


_From = Annotated[
    datetime, strawberry.argument(name="from", description="The first moment; the first bucket begins here.")
]
_To = Annotated[datetime, strawberry.argument(name="to", description="The first moment after the last bucket.")]
_Bucket = Annotated[UsageBucket, strawberry.argument(description="How long a bucket is.")]
_TimeZone = Annotated[
    str, strawberry.argument(description="Whose midnights end a day: an IANA name such as Europe/Berlin.")
]
_OfSession = Annotated[strawberry.ID | None, strawberry.argument(description="Only of this session.")]
"""Arguments of each series."""


@strawberry.type
class StatisticsQueries:
    @query(SessionStatisticsType | None, "What a session adds up to; null when it is not there, or not yours.")
    async def session_statistics(
        self,
        info: Info,
        session_id: Annotated[strawberry.ID, strawberry.argument(description="The session.")],
        scope: Annotated[
            StatisticsScope, strawberry.argument(description="Which of its messages count.")
        ] = StatisticsScope.ALL,
    ) -> SessionStatistics | None:
        cache = info.context.service(StatisticsCache)
        return await service.of_session(info.context.loaders, cache, session_named(session_id), scope)

    @query(UserStatisticsType | None, "What your sessions add up to; an admin may name another user of the tenant.")
    async def user_statistics(
        self,
        info: Info,
        user_id: Annotated[
            str | None, strawberry.argument(description="The user, if not yourself; null is the answer to others.")
        ] = None,
    ) -> UserStatistics | None:
        context = info.context
        user = context.actor.user_id if user_id is None else UserId(user_id)
        return await service.of_user(context.database, context.service(StatisticsCache), context.actor, user)

    @query(
        MessagePersistenceStatisticsType | None,
        "How messages were stored lately, or from one moment to another: in all your sessions, or in one; null when "
        "that is not there, or not yours.",
    )
    async def message_persistence_statistics(
        self,
        info: Info,
        session_id: Annotated[strawberry.ID | None, strawberry.argument(description="One session.")] = None,
        time_range_hours: Annotated[
            int, strawberry.argument(description="How far back from `to`, without `from`: 1 to 8,784 hours.")
        ] = DEFAULT_HOURS,
        at_from: Annotated[
            datetime | None,
            strawberry.argument(name="from", description="The first moment; at most 8,784 hours before `to`."),
        ] = None,
        at_to: Annotated[
            datetime | None, strawberry.argument(name="to", description="The first moment after the last; now if null.")
        ] = None,
    ) -> PersistenceStatistics | None:
        named = None if session_id is None else session_named(session_id)
        return await service.of_stored(info.context.loaders, named, time_range_hours, at_from, at_to)

    @query(
        list[UsagePointType] | None,
        "What your runs used over time, with a point for every bucket and key, by start and then by key: at most 1,000 "
        "buckets and 5,000 points. Null when the session is not there, or not yours.",
    )
    async def usage_series(
        self,
        info: Info,
        at_from: _From,
        at_to: _To,
        bucket: _Bucket,
        group_by: Annotated[
            UsageGrouping, strawberry.argument(description="What the points are told apart by.")
        ] = UsageGrouping.NONE,
        time_zone: _TimeZone = "UTC",
        session_id: _OfSession = None,
    ) -> list[UsagePoint] | None:
        named = None if session_id is None else session_named(session_id)
        wanted = WantedSeries(at_from, at_to, bucket, group_by, time_zone, named)
        return await service.usage_series(info.context.loaders, wanted)

    @query(
        list[MessagePointType] | None,
        "What was stored over time, with a point for every bucket and key, by start and then by key: at most 1,000 "
        "buckets, 5,000 points and 8,784 hours. Of all your sessions, or of one; null when that is not there, or not "
        "yours.",
    )
    async def message_series(
        self,
        info: Info,
        at_from: _From,
        at_to: _To,
        bucket: _Bucket,
        group_by: Annotated[
            MessageGrouping, strawberry.argument(description="What the points are told apart by.")
        ] = MessageGrouping.NONE,
        time_zone: _TimeZone = "UTC",
        session_id: _OfSession = None,
    ) -> list[MessagePoint] | None:
        named = None if session_id is None else session_named(session_id)
        wanted = WantedSeries(at_from, at_to, bucket, group_by, time_zone, named)
        return await service.message_series(info.context.loaders, wanted)
