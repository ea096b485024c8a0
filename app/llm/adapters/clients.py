"""Clients of providers, made of pydantic-ai's models; importing this takes seconds."""

from collections.abc import AsyncGenerator, AsyncIterator
from typing import assert_never

import httpx2
import structlog
from anthropic import AsyncAnthropic
from openai import AsyncOpenAI
from pydantic_ai.direct import model_request_stream
from pydantic_ai.exceptions import AgentRunError
from pydantic_ai.messages import (
    ModelResponseStreamEvent,
    PartDeltaEvent,
    PartStartEvent,
    TextPart,
    TextPartDelta,
    ToolCallPart,
)
from pydantic_ai.models import Model, StreamedResponse
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.profiles import merge_profile
from pydantic_ai.profiles.openai import OpenAIModelProfile
from pydantic_ai.providers.anthropic import AnthropicProvider
from pydantic_ai.providers.openai import OpenAIProvider

from app.llm.adapters.failures import failure_of
from app.llm.adapters.hosted import Dialect, Endpoint
from app.llm.adapters.requests import messages_of, parameters_of, settings_of
from app.llm.adapters.text import StorableText
from app.llm.adapters.usage import usage_of
from app.llm.errors import FailureReason, failure
from app.llm.port import (
    ModelRequest,
    RawEvent,
    Stopped,
    StopReason,
    TextDelta,
    ToolCallRequested,
    Usage,
    UsageReported,
    Working,
)
from app.telemetry.spans import TRACING

log = structlog.get_logger("colloquy.llm")


class Client:
    """The open connections to one endpoint."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._provider = endpoint.dialect.value
        self._correlation = endpoint.dialect.correlation_headers
        self._key = endpoint.key.get_secret_value() if endpoint.key else None
        # Only connecting is timed here; who watches over the answer times the rest. Connections are not limited:
        # each is a run, and their number is limited where runs are. A redirect is not followed: the key would go along.
        self._http = httpx2.AsyncClient(
            timeout=httpx2.Timeout(None, connect=endpoint.connect_timeout_seconds),
            limits=httpx2.Limits(max_connections=None, max_keepalive_connections=20),
            follow_redirects=False,
            event_hooks={} if self._key else {"request": [_without_key]},
        )
        self._models = _models(endpoint, self._key, self._http)

    async def stream(self, request: ModelRequest) -> AsyncGenerator[RawEvent, None]:
        """One attempt at an answer."""
        # Outside of what is taken for the provider's mistakes: this is ours.
        model = self._models.model(request.model)
        messages, settings = messages_of(request.conversation), settings_of(request, model, self._correlation)
        parameters = parameters_of(request, model)
        span = TRACING.begin(f"chat {self._provider}", "CLIENT", {"gen_ai.request.model": request.model})
        if passed_on := span.headers():
            settings["extra_headers"] = {**settings.get("extra_headers", {}), **passed_on}
        ended: str | None = "left"
        try:
            async with model_request_stream(
                model,
                messages,
                model_settings=settings,
                model_request_parameters=parameters,
                instrument=False,
            ) as response:
                async for event in _events(response):
                    yield event
                for event in _ending(response, self._provider):
                    ended = None
                    yield event
        except (AgentRunError, httpx2.HTTPError) as error:
            # Not chained: what the libraries say may hold the provider's whole answer, or the key.
            found = failure_of(error, self._provider, self._key)
            ended = found.reason.value
            raise found from None
        except (ValueError, TypeError, AttributeError, LookupError, AssertionError) as error:
            # What pydantic-ai 2.68 and the SDKs raise on JSON that is not of the shape they expect.
            log.warning("malformed_answer", provider=self._provider, error=type(error).__name__)
            ended = FailureReason.MALFORMED.value
            raise failure(FailureReason.MALFORMED, self._provider) from None
        finally:
            span.end(None, {"colloquy.correlation_id": request.correlation_id or ""}, ended)

    async def close(self) -> None:
        """Closes the connections."""
        await self._http.aclose()


async def _without_key(request: httpx2.Request) -> None:
    # openai 3 insists on a key; a server that wants none is sent none.
    request.headers.pop("Authorization", None)


_NO_SCHEMAS = OpenAIModelProfile(supports_json_schema_output=False, supports_json_object_output=False)


def _is_old(name: str) -> bool:
    # pydantic-ai 2.68 takes it that all of them can be held to a schema; these refuse it.
    return name == "gpt-4" or name.startswith(
        ("gpt-3.5", "gpt-4-", "gpt-4o-2024-05-13", "chatgpt-4o", "o1-mini", "o1-preview")
    )


class _OpenAIModels:
    def __init__(self, client: AsyncOpenAI, profile: OpenAIModelProfile) -> None:
        self._provider = OpenAIProvider(openai_client=client)
        self._profile = profile

    def model(self, name: str) -> Model:
        chosen = merge_profile(self._profile, _NO_SCHEMAS if _is_old(name) else None)
        return OpenAIChatModel(name, provider=self._provider, profile=lambda known: merge_profile(known, chosen))


class _AnthropicModels:
    def __init__(self, client: AsyncAnthropic) -> None:
        self._provider = AnthropicProvider(anthropic_client=client)

    def model(self, name: str) -> Model:
        return AnthropicModel(name, provider=self._provider)


def _models(endpoint: Endpoint, key: str | None, http: httpx2.AsyncClient) -> _OpenAIModels | _AnthropicModels:
    # A stream that ends without saying why has broken off, whatever HTTP says.
    strict = OpenAIModelProfile(openai_chat_streaming_requires_finish_reason=True)
    url = endpoint.base_url
    match endpoint.dialect:
        case Dialect.OPENAI:
            openai = AsyncOpenAI(api_key=key, base_url=url, http_client=http, max_retries=0, timeout=http.timeout)
            return _OpenAIModels(openai, strict)
        case Dialect.COMPATIBLE:
            client = AsyncOpenAI(
                api_key=key or "none", base_url=url, http_client=http, max_retries=0, timeout=http.timeout
            )
            # The older name of the limit is the one that all of them know. Of a schema many hold their models to, none
            # of these learn by themselves, and some servers do not heed it.
            own = OpenAIModelProfile(
                openai_chat_supports_max_completion_tokens=False, native_output_requires_schema_in_instructions=True
            )
            return _OpenAIModels(client, {**strict, **own})
        case Dialect.ANTHROPIC:
            return _AnthropicModels(
                AsyncAnthropic(api_key=key, base_url=url, http_client=http, max_retries=0, timeout=http.timeout)
            )
        case _:
            assert_never(endpoint.dialect)


async def _events(response: StreamedResponse) -> AsyncIterator[RawEvent]:
    text, reported = StorableText(), Usage()
    async for event in response:
        piece = text.next(_text(event))
        yield TextDelta(piece) if piece else Working()
        # Anthropic counts the input at once: it was paid for, even if the answer is never finished.
        counted = usage_of(response.usage)
        if counted != reported:
            reported = counted
            yield UsageReported(counted)


def _text(event: ModelResponseStreamEvent) -> str:
    match event:
        case PartStartEvent(part=TextPart(content=content)):
            return content
        case PartDeltaEvent(delta=TextPartDelta(content_delta=content)):
            return content
        case _:
            return ""


def _ending(response: StreamedResponse, provider: str) -> list[RawEvent]:
    answer = response.get()
    # Only now: deltas of several calls may interleave.
    calls: list[RawEvent] = [
        ToolCallRequested(part.tool_call_id, part.tool_name, _arguments(part))
        for part in answer.parts
        if isinstance(part, ToolCallPart)
    ]
    refusal = (answer.provider_details or {}).get("refusal")
    said: list[RawEvent] = [TextDelta(refusal)] if isinstance(refusal, str) and refusal else []
    reported: list[RawEvent] = [] if answer.usage.unmeasured_requests else [UsageReported(usage_of(answer.usage))]
    return [*said, *calls, *reported, Stopped(_stop_reason(answer.finish_reason, bool(calls), provider))]


def _arguments(part: ToolCallPart) -> str:
    written = part.args if isinstance(part.args, str) else part.args_as_json_str()
    return StorableText().next(written) or "{}"


def _stop_reason(found: str | None, calls: bool, provider: str) -> StopReason:
    match found:
        case "stop" | "tool_call":
            # Some servers say "stop" after a call, and some "tool_call" after none.
            return StopReason.TOOL_CALLS if calls else StopReason.STOP
        case "length":
            return StopReason.LENGTH
        case "content_filter":
            return StopReason.CONTENT_FILTER
        case _:
            raise failure(FailureReason.DROPPED, provider)
