"""A provider on the network, whose libraries are loaded by the first request to it."""

import asyncio
import threading
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from enum import StrEnum
from importlib import import_module
from typing import TYPE_CHECKING

from pydantic import SecretStr

from app.llm.port import ModelRequest, RawEvent

if TYPE_CHECKING:
    from app.llm.adapters.clients import Client


class Dialect(StrEnum):
    """What is spoken on the wire; the value is the provider's name in `provider:model`."""

    OPENAI = "openai"
    ANTHROPIC = "anthropic"
    COMPATIBLE = "compatible"
    """OpenAI's chat completions, by somebody else's server."""

    @property
    def correlation_headers(self) -> tuple[str, ...]:
        """Which headers of a request bear its correlation id: its own, and what OpenAI keeps in its logs.

        At most 512 ASCII characters are taken; ours have 128.
        """
        own = ("X-Correlation-Id",)
        return (*own, "X-Client-Request-Id") if self is Dialect.OPENAI else own


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a provider is, and how to come in."""

    dialect: Dialect
    base_url: str
    key: SecretStr | None
    connect_timeout_seconds: float


class HostedProvider:
    """The models of one endpoint. Opens no connection and loads no library before it is asked."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._client: Client | None = None
        self._opening = threading.Lock()

    async def stream(self, request: ModelRequest) -> AsyncGenerator[RawEvent, None]:
        """One attempt; a ProviderFailure where it fails. Closing the iterator closes the HTTP request."""
        client = self._client
        if client is None:
            # In a thread: the libraries take 3 s to import, and a TLS context 20 ms to make.
            client = await asyncio.to_thread(self._open)
        async with aclosing(client.stream(request)) as events:
            async for event in events:
                yield event

    async def close(self) -> None:
        """Closes its connections."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    def _open(self) -> "Client":
        with self._opening:
            if self._client is None:
                clients = import_module("app.llm.adapters.clients")
                self._client = clients.Client(self._endpoint)
            return self._client
