"""Attempts to come in that fail: few of them from one address in a time."""

import time
from collections.abc import Mapping

from starlette.requests import HTTPConnection

from app.core.actor import CorrelationId
from app.core.errors import AppError, ErrorCode
from app.core.settings.limits import LimitSettings
from app.graph.context import Context
from app.graph.operations import MakeContext
from app.graph.rates import Buckets, Clock, RateExceeded
from app.telemetry.meters import REFUSALS


def few_failures(make_context: MakeContext, limits: LimitSettings, clock: Clock = time.monotonic) -> MakeContext:
    """Lets callers in as `make_context` does, until too many attempts from their address have failed.

    Such an address is not listened to for a while, whoever speaks from there: RateExceeded.
    """
    per_minute = limits.failed_logins_per_minute
    if not per_minute:
        return make_context
    failures: Buckets[str] = Buckets(per_minute, per_minute, clock)

    async def let_in(connection: HTTPConnection, headers: Mapping[str, str], correlation: CorrelationId) -> Context:
        client = connection.scope.get("client")
        address = client[0] if client else ""
        seconds = failures.wait_for(address, 1)
        if seconds:
            REFUSALS.labels("failed logins").inc()
            raise RateExceeded("too many attempts from this address have failed", seconds, "mend the credentials first")
        try:
            return await make_context(connection, headers, correlation)
        except AppError as error:
            # Where it is the server that cannot tell who is asking, nobody has failed.
            if error.code is ErrorCode.UNAUTHENTICATED and not error.retryable:
                failures.spend(address, 1)
            raise

    return let_in
