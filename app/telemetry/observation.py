"""One operation of a client as it is watched: what it costs while it runs, and at its end its line and its counts."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar, Token
from enum import StrEnum
from functools import cache
from time import perf_counter_ns
from typing import Self

from prometheus_client import Counter, Histogram

from app.core.actor import Actor
from app.core.errors import ErrorCode
from app.core.logging import current_correlation, line
from app.telemetry import meters
from app.telemetry.spans import CURRENT, TRACING, Span

LONGEST_NAME = 100
"""Of an operation in the log: clients make it up."""

log = logging.getLogger("colloquy.operations")


class Transport(StrEnum):
    """How an operation came."""

    HTTP = "http"
    SSE = "sse"
    MULTIPART = "multipart"
    SOCKET = "websocket"
    PLAIN = "plain"
    """No GraphQL: downloads, health, the playground."""


_STREAMS = {"text/event-stream": Transport.SSE, "multipart/mixed": Transport.MULTIPART}


class Observation:
    """One operation, or one request that never became one. Who works for it adds to its attributes.

    It is reached through a context variable, also by the tasks that the operation starts.
    """

    __slots__ = (
        "_headers", "_span", "_started_ns", "_token", "_was_current", "actor", "bytes", "codes", "events", "kind",
        "name", "quiet", "route", "statement_ns", "statements", "status", "transport",
    )  # fmt: skip

    def __init__(self, transport: Transport, headers: Mapping[str, str] | None = None) -> None:
        """`headers` may name the client's span (`traceparent`); names in lower case."""
        self.transport = transport
        self._headers = headers
        self.statements = 0
        self.statement_ns = 0
        """How long they took, waits for a connection not included."""
        self.actor: Actor | None = None
        """None for somebody who was not let in."""
        self.kind: str | None = None
        """`query`, `mutation`, `subscription` or `endpoint`; None for what was refused before that was known."""
        self.name: str | None = None
        self.route: str | None = None
        """Of a plain endpoint: the pattern of its path."""
        self.codes: list[ErrorCode] = []
        """Of all errors that its client was told of."""
        self.status: int | str | None = None
        """None until an answer has begun."""
        self.events = 0
        self.bytes = 0
        self.quiet = False
        """Whether it is no more than a debugging line: what machines ask every few seconds."""
        self._started_ns = perf_counter_ns()
        self._token: Token[Observation | None] | None = None
        self._span: Span | None = None
        self._was_current: Token[Span | None] | None = None

    def __enter__(self) -> Self:
        self._token = OBSERVED.set(self)
        if TRACING.spans is not None and not self.quiet:
            self._span = TRACING.begin("operation", "SERVER", {}, self._headers)
            self._was_current = CURRENT.set(self._span)
        return self

    def __exit__(self, *_: object) -> None:
        if self._token is not None:
            OBSERVED.reset(self._token)
        if self._span is not None and self._was_current is not None:
            CURRENT.reset(self._was_current)
            self._end_span(self._span)
        self._end((perf_counter_ns() - self._started_ns) / 1e9)

    def asks(self, kind: str, name: str | None) -> None:
        """It became known what is asked."""
        self.kind = kind
        self.name = name[:LONGEST_NAME] if name else None

    def answers(self, status: int, content_type: str) -> None:
        """An answer over HTTP has begun."""
        self.status = status
        if self.transport is Transport.HTTP:
            self.transport = _STREAMS.get(content_type.partition(";")[0], Transport.HTTP)

    @property
    def outcome(self) -> str:
        """`ok`, the codes of its errors, or the status where there is no code."""
        if self.codes:
            return ",".join(dict.fromkeys(code.value for code in self.codes))
        if isinstance(self.status, int):
            return "ok" if self.status < 400 else str(self.status)
        return self.status or "left"

    def _end(self, seconds: float) -> None:
        _requests(self.transport, "left" if self.status is None else self.status).inc()
        for code in self.codes:
            _errors(code).inc()
        if self.kind is not None and self.kind != "subscription":
            took, sent = _costs(self.kind)
            took.observe(seconds)
            sent.observe(self.statements)
        level = logging.DEBUG if self.quiet else logging.INFO
        if log.isEnabledFor(level):
            line(log, level, "request" if self.transport is Transport.PLAIN else "operation", self._fields(seconds))

    def _end_span(self, span: Span) -> None:
        known = {
            "graphql.operation.type": self.kind if self.transport is not Transport.PLAIN else None,
            "graphql.operation.name": self.name,
            "http.route": self.route,
            "colloquy.transport": self.transport.value,
            "colloquy.correlation_id": current_correlation(),
            "http.response.status_code": self.status if isinstance(self.status, int) else None,
        }
        attributes = {name: value for name, value in known.items() if value is not None}
        span.end(self.kind or self.transport.value, attributes, None if self.outcome == "ok" else self.outcome)

    def _fields(self, seconds: float) -> dict[str, object]:
        fields: dict[str, object] = {
            "transport": self.transport.value, "outcome": self.outcome, "duration_ms": round(seconds * 1000, 3),
            "statements": self.statements, "statements_ms": round(self.statement_ns / 1e6, 3), "bytes": self.bytes,
        }  # fmt: skip
        if self.actor is not None:
            fields["tenant"], fields["user"] = self.actor.tenant_id, self.actor.user_id
        for name, value in (
            ("kind", self.kind), ("operation", self.name), ("route", self.route), ("status", self.status),
        ):  # fmt: skip
            if value is not None:
                fields[name] = value
        if self.kind == "subscription":
            fields["events"] = self.events
        return fields


OBSERVED: ContextVar[Observation | None] = ContextVar("observation", default=None)
"""The operation on whose behalf something is done; None for jobs, the calendar and what is done for many at once."""


def note_error(code: ErrorCode) -> None:
    """The client of the current operation is told of an error."""
    observed = OBSERVED.get()
    if observed is not None:
        observed.codes.append(code)


@contextmanager
def followed() -> Iterator[Observation]:
    """While the block lasts, the current operation is a subscription that is open."""
    observed = OBSERVED.get() or Observation(Transport.PLAIN)
    transport = observed.transport.value
    meters.SUBSCRIPTIONS_OPEN.labels(transport).inc()
    try:
        yield observed
    finally:
        meters.SUBSCRIPTIONS_OPEN.labels(transport).dec()
        meters.SUBSCRIPTION_EVENTS.labels(transport).inc(observed.events)


# To find a meter by its labels takes as long as to count on it: there are few, and they are kept.


@cache
def _requests(transport: Transport, status: int | str) -> Counter:
    return meters.REQUESTS.labels(transport.value, status)


@cache
def _errors(code: ErrorCode) -> Counter:
    return meters.ERRORS.labels(code.value)


@cache
def _costs(kind: str) -> tuple[Histogram, Histogram]:
    return meters.DURATION.labels(kind), meters.STATEMENTS.labels(kind)
