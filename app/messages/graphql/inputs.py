"""Inputs that several mutations of messages take, and what the rooms below make of them."""

from typing import Any

from strawberry import field

from app.graph.inputs import input_type
from app.graph.payloads import json_object
from app.graph.scalars import Json
from app.messages.graphql.types import message_id
from app.messages.values import ContextItems, Intent, MessageId


@input_type("What a message is written with in view: objects of four kinds.", name="ContextItemsInput")
class ContextItemsInput:
    document_chunks: list[Json] = field(default_factory=list, description="Parts of documents, at most 100.")
    insights: list[Json] = field(default_factory=list, description="Findings, at most 100.")
    jtbds: list[Json] = field(default_factory=list, description="Jobs to be done, at most 100.")
    metrics: list[Json] = field(default_factory=list, description="Measured values, at most 100.")


@input_type("What the user wanted, as the application found out.", name="IntentInput")
class IntentInput:
    name: str = field(description="The intent's name.")
    confidence: float = field(default=1.0, description="How sure it is: above 0, at most 1.")
    keywords: list[str] = field(default_factory=list, description="The words that told.")


@input_type("Facts about the streaming of an answer.")
class StreamingInput:
    duration_ms: int | None = field(default=None, description="From the first piece to the last.")
    chunk_count: int | None = field(default=None, description="How many pieces there were.")
    first_token_ms: int | None = field(default=None, description="From the request to the first piece.")


def parent_id(value: str | None) -> MessageId | None:
    """What a message answers, where the client says it; ValidationError naming the input's field."""
    return None if value is None else message_id(value, "parentMessageId")


def context_items(items: ContextItemsInput | None) -> ContextItems:
    """What a message is written with in view; ValidationError for what is no object."""
    if items is None:
        return ContextItems()
    kinds = {name: getattr(items, name) for name in ("document_chunks", "insights", "jtbds", "metrics")}
    for name, objects in kinds.items():
        for index, item in enumerate(objects):
            json_object(item if item is not None else [], f"contextItems.{name}[{index}]")
    return ContextItems(**kinds)


def intent_of(intent: IntentInput | None) -> Intent | None:
    """What the user wanted, where the application found out."""
    return Intent(intent.name, intent.confidence, tuple(intent.keywords)) if intent else None


def streaming_facts(streaming: StreamingInput | None) -> dict[str, Any]:
    """The facts that are told, by their names in the graph."""
    if streaming is None:
        return {}
    facts = {
        "durationMs": streaming.duration_ms,
        "chunkCount": streaming.chunk_count,
        "firstTokenMs": streaming.first_token_ms,
    }
    return {name: value for name, value in facts.items() if value is not None}
