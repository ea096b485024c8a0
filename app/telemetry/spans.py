"""Spans, where OpenTelemetry is installed (`colloquy[otel]`) and its variables ask for them; else nothing happens.

A span begins and ends by hand, and its children are told whose they are: what opens and closes contexts in async
generators, as OpenTelemetry's own way does, would do so in other tasks than it began in.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from importlib import import_module
from importlib.util import find_spec
from typing import Protocol

import structlog

Attributes = Mapping[str, str | int]

ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")

log = structlog.get_logger("colloquy.telemetry")


class Span(Protocol):
    """Something that takes time, under way."""

    def headers(self) -> dict[str, str]:
        """What tells another process whose child it begins: `traceparent`."""

    def end(self, name: str | None, attributes: Attributes, error: str | None) -> None:
        """It has ended; `name` where it is known by now. `error` says in a word why it failed."""


class Spans(Protocol):
    """What makes spans, and sends them somewhere."""

    def begin(self, name: str, kind: str, attributes: Attributes, headers: Mapping[str, str] | None) -> Span:
        """A span; the child of what `headers` name, else of the current one. `kind` is OpenTelemetry's, in capitals."""

    def statement(self, sql: str, elapsed_ns: int, error: str | None) -> None:
        """A statement that has just ended on behalf of the current span."""

    def close(self) -> None:
        """Send what is left, for some seconds at most. It blocks."""


class _Off:
    """The span where there are none."""

    def headers(self) -> dict[str, str]:
        """None."""
        return {}

    def end(self, name: str | None, attributes: Attributes, error: str | None) -> None:
        """Nothing."""


OFF: Span = _Off()

CURRENT: ContextVar[Span | None] = ContextVar("span", default=None)
"""What is done at the moment, also by the tasks that it starts; None where nobody asked for it."""


class Switch:
    """Whether there are spans: off until the process is told."""

    def __init__(self) -> None:
        self.spans: Spans | None = None

    def begin(self, name: str, kind: str, attributes: Attributes, headers: Mapping[str, str] | None = None) -> Span:
        """A span, or what does as if."""
        return OFF if self.spans is None else self.spans.begin(name, kind, attributes, headers)


TRACING = Switch()
"""The process's one."""


@contextmanager
def exporting() -> Iterator[None]:
    """While the block runs, spans are sent where the standard variables say: none of which means to nowhere."""
    if not is_wanted(os.environ):
        yield
        return
    if find_spec("opentelemetry") is None or find_spec("opentelemetry.sdk") is None:
        log.warning("no spans: OpenTelemetry is not installed", hint="install colloquy[otel]")
        yield
        return
    TRACING.spans = spans = import_module("app.telemetry.otel").exporting_spans()
    try:
        yield
    finally:
        TRACING.spans = None
        spans.close()


def is_wanted(environment: Mapping[str, str]) -> bool:
    """Whether the variables ask for spans: an address for them, or an exporter by name, and no word against it."""
    if environment.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return False
    exporter = environment.get("OTEL_TRACES_EXPORTER", "").strip().lower()
    return exporter == "otlp" or (not exporter and any(environment.get(name) for name in ENDPOINTS))


def headers_to_pass_on() -> dict[str, str] | None:
    """What makes another's span a child of the current one; None where there is none."""
    current = CURRENT.get()
    return None if current is None else current.headers() or None
