"""The meters as text for Prometheus."""

from prometheus_client.exposition import choose_encoder

from app.telemetry.meters import REGISTRY


def exposed(accept: str) -> tuple[bytes, str]:
    """All meters, and their content type: OpenMetrics for who accepts it, else Prometheus' own text."""
    encode, content_type = choose_encoder(accept)
    return encode(REGISTRY), content_type
