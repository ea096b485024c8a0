"""Statistics in the graph."""

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
from app.sessions.graphql import session_id as session_named
from app.statistics import service
from app.statistics.service import StatisticsCache, WantedSeries
from app.statistics.values import (
    PersistenceStatistics,
    SessionStatistics,
    StatisticsScope,
    UsageBucket,
    UsageGrouping,
    UsagePoint,
    UserStatistics,
)

DEFAULT_HOURS = 24

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
        "How messages were stored lately: in all your sessions, or in one; null when that is not there, or not yours.",
    )
    async def message_persistence_statistics(
        self,
        info: Info,
        session_id: Annotated[strawberry.ID | None, strawberry.argument(description="One session.")] = None,
        time_range_hours: Annotated[
            int, strawberry.argument(description="How far back from now: 1 to 8,784 hours.")
        ] = DEFAULT_HOURS,
    ) -> PersistenceStatistics | None:
        named = None if session_id is None else session_named(session_id)
        return await service.of_stored(info.context.loaders, named, time_range_hours)

    @query(
        list[UsagePointType] | None,
        "What your runs used over time, with a point for every bucket and key, by start and then by key: at most 1,000 "
        "buckets and 5,000 points. Null when the session is not there, or not yours.",
    )
    async def usage_series(
        self,
        info: Info,
        at_from: Annotated[
            datetime, strawberry.argument(name="from", description="The first moment; the first bucket begins here.")
        ],
        at_to: Annotated[
            datetime, strawberry.argument(name="to", description="The first moment after the last bucket.")
        ],
        bucket: Annotated[UsageBucket, strawberry.argument(description="How long a bucket is.")],
        group_by: Annotated[
            UsageGrouping, strawberry.argument(description="What the points are told apart by.")
        ] = UsageGrouping.NONE,
        time_zone: Annotated[
            str, strawberry.argument(description="Whose midnights end a day: an IANA name such as Europe/Berlin.")
        ] = "UTC",
        session_id: Annotated[strawberry.ID | None, strawberry.argument(description="Only of this session.")] = None,
    ) -> list[UsagePoint] | None:
        named = None if session_id is None else session_named(session_id)
        wanted = WantedSeries(at_from, at_to, bucket, group_by, time_zone, named)
        return await service.usage_series(info.context.loaders, wanted)
