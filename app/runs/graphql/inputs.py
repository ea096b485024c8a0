"""What is asked of a model, and of a run."""

import strawberry
from strawberry import field

from app.graph.enums import described
from app.graph.inputs import input_type
from app.graph.payloads import json_object
from app.graph.scalars import Json
from app.idempotency.graphql import KEY_DESCRIPTION
from app.messages.graphql.inputs import ContextItemsInput
from app.runs.values import OnBusy
from app.toolbox.values import GivenTool

described(
    OnBusy,
    "What to do while the session has an answer that is not finished.",
    {
        OnBusy.REJECT: "Refuse with RUN_ACTIVE; nothing is stored.",
        OnBusy.ENQUEUE: "Store it, and answer it when those before it are finished, in the order they came.",
        OnBusy.INTERRUPT: "Cancel all that is not finished, keep what was written, and answer this.",
    },
)


@input_type("A tool that the model may call.")
class ToolInput:
    name: str = field(description="As the model calls it: 1 to 64 of the characters a-z, A-Z, 0-9, _ and -.")
    description: str | None = field(
        default=None, description="What it does and when to call it, for the model; at most 4,000 characters."
    )
    parameters: Json | None = field(
        default=None,
        description="JSON Schema (2020-12) of its arguments, which are an object; by default it takes none. Leave it "
        "out, with the description, for a tool of the server.",
    )
    requires_approval: bool = field(default=False, description="Whether each call needs a person's approval.")


@input_type("A message of the person that a model is to answer.")
class SendMessageInput:
    content: str = field(description="What is said, at most 1,000,000 characters.")
    session_id: strawberry.ID | None = field(
        default=None, description="The session it goes into; a new one is created when it is left out."
    )
    model: str | None = field(
        default=None, description="The model, as `provider:model`; by default the session's, else the server's."
    )
    temperature: float | None = field(default=None, description="From 0 to 2; by default the provider's.")
    max_output_tokens: int | None = field(default=None, description="The most the model may write.")
    parent_message_id: strawberry.ID | None = field(
        default=None, description="What it answers; by default the session's `activeLeaf`."
    )
    edited_message_id: strawberry.ID | None = field(
        default=None,
        description="A message of the person that this is another version of: it stands beside that one, which stays.",
    )
    context_items: ContextItemsInput | None = field(default=None, description="What it is written with in view.")
    metadata: Json | None = field(default=None, description="Free JSON object of the application.")
    tools: list[ToolInput] | None = field(
        default=None, description="What the model may call: at most 128, with names of their own."
    )
    on_busy: OnBusy = field(
        default=OnBusy.REJECT, description="What to do while the session has an answer that is not finished."
    )
    client_key: str | None = field(default=None, description=KEY_DESCRIPTION)


@input_type("An answer that is to be given once more.")
class RegenerateMessageInput:
    message_id: strawberry.ID = field(description="The assistant's message; it stays, and the new stands beside it.")
    model: str | None = field(
        default=None, description="The model, as `provider:model`; by default the session's, else the server's."
    )
    temperature: float | None = field(default=None, description="From 0 to 2; by default the provider's.")
    max_output_tokens: int | None = field(default=None, description="The most the model may write.")
    tools: list[ToolInput] | None = field(
        default=None, description="What the model may call: at most 128, with names of their own."
    )
    on_busy: OnBusy = field(
        default=OnBusy.REJECT, description="What to do while the session has an answer that is not finished."
    )
    client_key: str | None = field(default=None, description=KEY_DESCRIPTION)


@input_type("A run that is to end.")
class CancelRunInput:
    run_id: strawberry.ID = field(description="The run.")
    client_key: str | None = field(default=None, description=KEY_DESCRIPTION)


@input_type("A run that is to be tried again.")
class RetryRunInput:
    run_id: strawberry.ID = field(description="A run that failed, was cancelled or interrupted.")
    client_key: str | None = field(default=None, description=KEY_DESCRIPTION)


def given_tools(tools: list[ToolInput] | None) -> tuple[GivenTool, ...]:
    """The tools as the toolbox takes them; ValidationError naming the place for parameters that are no object."""
    return tuple(
        GivenTool(
            tool.name,
            tool.description,
            None if tool.parameters is None else json_object(tool.parameters, f"tools[{index}].parameters"),
            tool.requires_approval,
        )
        for index, tool in enumerate(tools or ())
    )
