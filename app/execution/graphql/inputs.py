"""What a prompt is executed with."""

import strawberry
from strawberry import field

from app.core.errors import ValidationError
from app.core.ids import parse_global_id
from app.execution.values import GENERATED_PROMPT, ExecutePromptRequest, GeneratedPromptId
from app.graph.inputs import input_type
from app.graph.payloads import json_object
from app.graph.scalars import Json
from app.idempotency.graphql import KEY_DESCRIPTION
from app.idempotency.values import ClientKey
from app.prompts.graphql import template_id
from app.prompts.values import Choice, Place
from app.runs.graphql.inputs import ToolInput, given_tools
from app.runs.values import OnBusy, Wanted
from app.sessions.graphql import session_id


@input_type(
    "A prompt that a model is to answer: `content`, a template, which is named by one of `templateId`, `templateName` "
    "and `enabled`, or a generated prompt."
)
class ExecutePromptInput:
    content: str | None = field(default=None, description="A prompt of its own, without a template.")
    template_id: strawberry.ID | None = field(default=None, description="The template.")
    template_name: str | None = field(
        default=None, description="The name of the template in `projectId` and `organizationId`."
    )
    enabled: bool = field(
        default=False, description="Whether the template that is enabled in `projectId` and `organizationId` is meant."
    )
    project_id: str | None = field(
        default=None, description="The project of `templateName` or `enabled`; null for those that belong to none."
    )
    organization_id: str | None = field(
        default=None, description="The organization of `templateName` or `enabled`; null for those that belong to none."
    )
    label: str | None = field(
        default=None, description="The version of the template that has this label; by default the latest."
    )
    version: int | None = field(default=None, description="The version of the template with this number.")
    variables: Json | None = field(
        default=None, description="The values of the template's variables: a JSON object, by their names."
    )
    prompt_generation_id: strawberry.ID | None = field(
        default=None, description="The prompt that was generated for a story of a project, and approved."
    )
    session_id: strawberry.ID | None = field(
        default=None, description="The session it goes into; a new one is created when it is left out."
    )
    context_file_id: str | None = field(
        default=None,
        description="A file that it is asked with: the id of an attachment of yours, whose text the model is given, or "
        "any name of at most 255 characters for one that is kept elsewhere, which is recorded.",
    )
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
    wait: bool = field(
        default=False,
        description="Whether to answer only when the run has ended. Where that takes longer than the server lets one "
        "wait, the run goes on and a warning says so: the same input with the same `clientKey` waits again.",
    )
    client_key: str | None = field(default=None, description=KEY_DESCRIPTION)

    def request(self, key: ClientKey | None) -> ExecutePromptRequest:
        """As the stages take it; ValidationError for what cannot be meant."""
        return ExecutePromptRequest(
            session_id(self.session_id) if self.session_id is not None else None,
            _choice(self),
            self.content,
            json_object(self.variables, "variables"),
            self.context_file_id,
            Wanted(self.model, self.temperature, self.max_output_tokens),
            given_tools(self.tools),
            self.on_busy,
            key,
            generated_id=_generated_id(self.prompt_generation_id),
        )


def _generated_id(value: str | None) -> GeneratedPromptId | None:
    if value is None:
        return None
    return GeneratedPromptId(parse_global_id(value, GENERATED_PROMPT, "promptGenerationId"))


def _choice(input_: ExecutePromptInput) -> Choice | None:
    """Which version of which template is meant; None where no template is named."""
    named = [
        name
        for name, given in (
            ("templateId", input_.template_id is not None),
            ("templateName", input_.template_name is not None),
            ("enabled", input_.enabled),
        )
        if given
    ]
    if len(named) > 1:
        raise ValidationError(
            f"{' and '.join(named)} name templates, and one is asked", field=named[1], hint="send one of them"
        )
    _require_purpose(input_, named)
    if not named:
        return None
    return Choice(
        template_id(input_.template_id) if input_.template_id is not None else None,
        input_.template_name,
        input_.enabled,
        Place(input_.project_id, input_.organization_id),
        input_.label,
        input_.version,
    )


def _require_purpose(input_: ExecutePromptInput, named: list[str]) -> None:
    """Refuse what would be passed over: whoever sent it meant something by it."""
    if input_.label is not None and input_.version is not None:
        raise ValidationError("label and version exclude each other", field="version", hint="send one of them")
    for field_, value in (("label", input_.label), ("version", input_.version)):
        if value is not None and not named:
            raise ValidationError(
                f"{field_} is of a prompt template, and none is named",
                field=field_,
                hint="send templateId, templateName or enabled: true",
            )
    for field_, value in (("projectId", input_.project_id), ("organizationId", input_.organization_id)):
        if value is not None and named in ([], ["templateId"]):
            raise ValidationError(
                f"{field_} goes with templateName or enabled", field=field_, hint="leave it out, or send one of them"
            )
