"""What mutations of prompts are given."""

import strawberry
from strawberry import UNSET, field

from app.graph.inputs import input_type
from app.graph.scalars import Json
from app.idempotency.graphql import KEY_DESCRIPTION
from app.prompts.graphql.words import PromptType, Stage, VariableType
from app.prompts.values import Variable


@input_type("A variable that a prompt template declares.")
class PromptVariableInput:
    name: str = field(description="Its name in the text.")
    type: VariableType = field(default=VariableType.TEXT, description="What its value must be.")
    description: str | None = field(default=None, description="What to put there.")
    required: bool = field(
        default=True, description="Whether a value must be given; one with a default is never required."
    )
    default: Json | None = field(default=None, description="Its value where none is given.")

    def to_variable(self) -> Variable:
        """As the rooms below know it."""
        return Variable(self.name, VariableType(self.type), self.description, self.required, self.default)


@input_type("A new prompt template.")
class CreatePromptTemplateInput:
    name: str = field(
        description="Its name, at most 255 characters; no other template of the project and organization has it."
    )
    content: str = field(description="The text, at most 10,000 characters.")
    description: str | None = field(default=None, description="What it is for, at most 4,000 characters.")
    type: PromptType = field(default=PromptType.CUSTOM, description="What it is for, in a word.")
    variables: list[PromptVariableInput] = field(
        default_factory=list, description="The variables that the text may use, at most 50."
    )
    project_id: str | None = field(
        default=None,
        description="The project it belongs to, as you name it, at most 255 characters; without it, to none.",
    )
    organization_id: str | None = field(
        default=None,
        description="The organization it belongs to, as you name it, at most 255 characters; without it, to none.",
    )
    stage: Stage | None = field(
        default=None,
        description="The stage of projects that it is for; without it, for any other use. It never changes.",
    )
    enabled: bool = field(default=False, description="Whether it is enabled at once.")
    replace_enabled: bool = field(
        default=False,
        description="Whether the one that is enabled in the project, for the same stage or for none, is disabled for "
        "it; else that is a conflict.",
    )
    client_key: str | None = field(default=None, description=KEY_DESCRIPTION)


@input_type("A new version of a prompt template: what is left out stays as the latest says it.")
class UpdatePromptTemplateInput:
    template_id: strawberry.ID = field(description="The template.")
    expected_version: int = field(
        description="The `version` that this one was made from. Where the latest is another, nothing is stored: the "
        "error is VERSION_CONFLICT, and the payload has the template as it is."
    )
    name: str | None = field(default=UNSET, description="Its name from now on, at most 255 characters.")
    content: str | None = field(default=UNSET, description="The text, at most 10,000 characters.")
    description: str | None = field(default=UNSET, description="What it is for; null clears it.")
    type: PromptType | None = field(default=UNSET, description="What it is for, in a word.")
    variables: list[PromptVariableInput] | None = field(
        default=UNSET, description="All variables that the text may use, at most 50; null removes them."
    )
    client_key: str | None = field(default=None, description=KEY_DESCRIPTION)


@input_type("A prompt template to enable.")
class EnablePromptTemplateInput:
    template_id: strawberry.ID = field(description="The template.")
    replace_enabled: bool = field(
        default=False,
        description="Whether the one that is enabled in the project, for the same stage or for none, is disabled for "
        "it, at the same moment; else that is ENABLED_PROMPT_CONFLICT.",
    )
    client_key: str | None = field(default=None, description=KEY_DESCRIPTION)


@input_type("A prompt template to disable.")
class DisablePromptTemplateInput:
    template_id: strawberry.ID = field(description="The template.")
    client_key: str | None = field(default=None, description=KEY_DESCRIPTION)


@input_type("A prompt template to delete.")
class DeletePromptTemplateInput:
    template_id: strawberry.ID = field(description="The template.")
    client_key: str | None = field(default=None, description=KEY_DESCRIPTION)


@input_type("A label to set, to move or to remove.")
class SetPromptLabelInput:
    template_id: strawberry.ID = field(description="The template.")
    label: str = field(description="The name: up to 64 of a-z, 0-9 and . _ -, the first a letter or a digit.")
    version: int | None = field(
        default=UNSET, description="The number of the version that it points to from now on; null removes it."
    )
    expected_version: int | None = field(
        default=None,
        description="The version that it points to now, 0 where it is to be new. Where somebody has moved it, nothing "
        "is stored: the error is VERSION_CONFLICT. Without it, the last writer wins.",
    )
    client_key: str | None = field(default=None, description=KEY_DESCRIPTION)
