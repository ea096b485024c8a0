"""The process's meters, which rooms count on, in a registry of our own.

Labels come from closed sets of ours (transports, kinds, codes, providers): what a client makes up, the name of an
operation above all, is never one, and neither is a tenant, a user or a session.
"""

from platform import python_version

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, PlatformCollector, ProcessCollector
from prometheus_client import disable_created_metrics as _without_times_of_creation

from app.core.version import version

# A second series for each counter and histogram, which nobody asks for.
_without_times_of_creation()  # type: ignore[no-untyped-call]

REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)
PlatformCollector(registry=REGISTRY)

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""From what one statement takes to what a statement may take at most."""

REQUESTS = Counter(
    "colloquy_requests_total", "Requests that ended, and operations on sockets. `status` is that of HTTP; on a socket "
    "`ok` or `error`; `left` where the client left before the answer, `broken` where it broke off.",
    ["transport", "status"], registry=REGISTRY,
)  # fmt: skip
ERRORS = Counter("colloquy_errors_total", "Errors that clients were told of, by code.", ["code"], registry=REGISTRY)
GIVEN_BACK = Counter(
    "colloquy_fields_given_back_total", "Root fields that the batch executor left to the standard one: errors in them, "
    "or values it does not know.",
    registry=REGISTRY,
)  # fmt: skip
DURATION = Histogram(
    "colloquy_operation_duration_seconds", "From a request's arrival to the end of its answer: queries, mutations and "
    "plain endpoints; subscriptions last as long as their clients like.",
    ["kind"], buckets=SECONDS, registry=REGISTRY,
)  # fmt: skip
STATEMENTS = Histogram(
    "colloquy_operation_statements", "Statements that one operation sent to the database.",
    ["kind"], buckets=(0, 1, 2, 3, 5, 8, 13, 21, 34, 55), registry=REGISTRY,
)  # fmt: skip
SUBSCRIPTIONS_OPEN = Gauge(
    "colloquy_subscriptions_open", "Subscriptions that are followed at the moment.", ["transport"], registry=REGISTRY
)
SUBSCRIPTION_EVENTS = Counter(
    "colloquy_subscription_events_total", "Events that subscriptions were given.", ["transport"], registry=REGISTRY
)
SOCKETS_OPEN = Gauge("colloquy_sockets_open", "WebSockets that are open at the moment.", registry=REGISTRY)
REFUSALS = Counter(
    "colloquy_rate_limited_total", "Requests that were refused because of too many others, by limit.",
    ["limit"], registry=REGISTRY,
)  # fmt: skip
STREAM_LAG = Histogram(
    "colloquy_stream_lag_seconds", "From the moment this process knows that an entry of a stream is committed (its own "
    "commit, or the wake-up of another process) to its being handed to a follower.",
    buckets=SECONDS, registry=REGISTRY,
)  # fmt: skip
FIRST_TOKEN = Histogram(
    "colloquy_first_token_seconds", "From the begin of a turn to the first piece of its answer.",
    ["provider"], buckets=(*SECONDS, 60.0, 120.0), registry=REGISTRY,
)  # fmt: skip
MODEL_ATTEMPTS = Counter(
    "colloquy_model_attempts_total", "Requests to providers of models that ended: `ok`, `left`, or why they failed.",
    ["provider", "outcome"], registry=REGISTRY,
)  # fmt: skip
RUNS_ENDED = Counter("colloquy_runs_ended_total", "Runs that ended here, by how.", ["status"], registry=REGISTRY)
JOBS = Counter(
    "colloquy_jobs_total", "Jobs and chores that ended here: `done`, `failed` (to be run again), `dropped`, "
    "`given_back`.",
    ["kind", "outcome"], registry=REGISTRY,
)  # fmt: skip
JOB_DURATION = Histogram(
    "colloquy_job_duration_seconds", "How long jobs and chores took.",
    ["kind"], buckets=(*SECONDS, 60.0, 300.0), registry=REGISTRY,
)  # fmt: skip
DATABASE_UP = Gauge(
    "colloquy_database_up", "1 where the database answered what is asked of it for this page, else 0.",
    registry=REGISTRY,
)  # fmt: skip
RUNS = Gauge(
    "colloquy_runs", "Runs that have not ended, in the whole database: each process tells the same.",
    ["status"], registry=REGISTRY,
)  # fmt: skip
QUEUE_JOBS = Gauge(
    "colloquy_queue_jobs", "Jobs in the queue, in the whole database: `due`, `later` (not due yet), `running`.",
    ["state"], registry=REGISTRY,
)  # fmt: skip
QUEUE_OLDEST = Gauge(
    "colloquy_queue_oldest_seconds", "How long the oldest job that is due has waited; 0 where none is.",
    registry=REGISTRY,
)  # fmt: skip
BUILD = Gauge(
    "colloquy_build_info", "1, with the versions of Colloquy and Python.", ["version", "python"], registry=REGISTRY
)
BUILD.labels(version(), python_version()).set(1)
