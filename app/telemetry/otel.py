"""OpenTelemetry's SDK: imported only where spans are wanted."""

from collections.abc import Mapping
from time import time_ns

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from app.core.version import version
from app.telemetry.spans import CURRENT, Attributes

_W3C = TraceContextTextMapPropagator()


def exporting_spans() -> "SdkSpans":
    """As the standard variables (`OTEL_…`) say: where to, how many, what the service is called."""
    # Variables go before what is given here, save for a service without a name.
    resource = Resource({SERVICE_NAME: "colloquy", SERVICE_VERSION: version()}).merge(Resource.create())
    if str(resource.attributes[SERVICE_NAME]).startswith("unknown_service"):
        resource = resource.merge(Resource({SERVICE_NAME: "colloquy"}))
    provider = TracerProvider(resource=resource)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return SdkSpans(provider)


class SdkSpan:
    """A span of the SDK."""

    def __init__(self, span: trace.Span) -> None:
        self.span = span
        self.context = trace.set_span_in_context(span)

    def headers(self) -> dict[str, str]:
        """W3C's `traceparent`, and `tracestate` where the client sent one."""
        carrier: dict[str, str] = {}
        _W3C.inject(carrier, self.context)
        return carrier

    def end(self, name: str | None, attributes: Attributes, error: str | None) -> None:
        """Send it off with the next batch."""
        if name is not None:
            self.span.update_name(name)
        self.span.set_attributes(attributes)
        if error is not None:
            self.span.set_attribute("error.type", error)
            self.span.set_status(trace.StatusCode.ERROR)
        self.span.end()


class SdkSpans:
    """Spans of one provider of our own: the libraries' are not switched on by it."""

    def __init__(self, provider: TracerProvider) -> None:
        self._provider = provider
        self._tracer = provider.get_tracer("colloquy", version())

    def begin(self, name: str, kind: str, attributes: Attributes, headers: Mapping[str, str] | None) -> SdkSpan:
        """A span that begins now."""
        current = CURRENT.get()
        context = current.context if isinstance(current, SdkSpan) else None
        if headers:
            context = _W3C.extract(headers, context)
        span_kind = trace.SpanKind[kind]
        return SdkSpan(self._tracer.start_span(name, context, span_kind, attributes))

    def statement(self, sql: str, elapsed_ns: int, error: str | None) -> None:
        """A span that ends now; none for what is done on nobody's behalf, all the time."""
        current = CURRENT.get()
        if not isinstance(current, SdkSpan) or not current.span.is_recording():
            return
        ended = time_ns()
        text = " ".join(sql.split())
        attributes = {"db.system.name": "postgresql", "db.query.text": text}
        span = self._tracer.start_span(
            text.partition(" ")[0], current.context, trace.SpanKind.CLIENT, attributes, start_time=ended - elapsed_ns
        )
        if error is not None:
            span.set_attribute("error.type", error)
            span.set_status(trace.StatusCode.ERROR)
        span.end(ended)

    def close(self) -> None:
        """Send what is left."""
        self._provider.shutdown()
