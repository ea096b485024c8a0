"""The enums of prompts in the graph.

In a file of their own: an input or a type that is made before its enum was described would have another of its own.
"""

from app.graph.enums import described
from app.prompts.values import ChangeKind, PromptType, Stage, TemplateOrder, VariableType

__all__ = ["ChangeKind", "PromptType", "Stage", "TemplateOrder", "VariableType"]

described(
    PromptType,
    "What a prompt is for.",
    {
        PromptType.QUESTION_ANSWERING: "Answers a question, from what comes with it.",
        PromptType.SUMMARIZATION: "Says in short what a text says.",
        PromptType.ENTITY_EXTRACTION: "Finds names, dates and the like in a text.",
        PromptType.TEXT_GENERATION: "Writes a text.",
        PromptType.TRANSLATION: "Says it in another language.",
        PromptType.CLASSIFICATION: "Says which of some kinds a text is of.",
        PromptType.CUSTOM: "Anything else.",
    },
)
described(
    Stage,
    "The stages of the workflow, in their order: each is built on the one before.",
    {
        Stage.REQUIREMENTS_ANALYSIS: "What a project's description asks for.",
        Stage.PROJECT_PLANNING: "How that is to be made.",
        Stage.STORY_GENERATION: "The plan as a list of user stories.",
        Stage.PROMPT_GENERATION: "For each story a prompt, with which it can be made.",
    },
)
described(
    VariableType,
    "What a variable's value must be.",
    {
        VariableType.TEXT: "A string.",
        VariableType.INTEGER: "A whole number.",
        VariableType.NUMBER: "A number.",
        VariableType.BOOLEAN: "True or false.",
        VariableType.JSON: "Anything that JSON can say; it is rendered as JSON.",
    },
    name="PromptVariableType",
)
described(
    Stage,
    "The stages of a project, in their order: each is built on what was approved of the one before.",
    {
        Stage.REQUIREMENTS_ANALYSIS: "What is asked for, taken apart: of the project's description.",
        Stage.PROJECT_PLANNING: "How it is to be done: of the requirements.",
        Stage.STORY_GENERATION: "The stories that the work is cut into: of the plan.",
        Stage.PROMPT_GENERATION: "A prompt for each story, that has a model do the work: of the stories.",
    },
)
described(
    ChangeKind,
    "What was done to a prompt template.",
    {
        ChangeKind.CREATED: "It was made, with its first version.",
        ChangeKind.UPDATED: "A version was added.",
        ChangeKind.ENABLED: "It was enabled.",
        ChangeKind.DISABLED: "It was disabled, by itself or for another.",
        ChangeKind.LABELLED: "A label was set, or moved from another version.",
        ChangeKind.UNLABELLED: "A label was removed.",
        ChangeKind.DELETED: "It was deleted, and is not enabled any more.",
    },
    name="PromptChangeKind",
)
described(
    TemplateOrder,
    "The order of prompt templates.",
    {
        TemplateOrder.NAME_ASC: "By name.",
        TemplateOrder.NAME_DESC: "By name, backwards.",
        TemplateOrder.UPDATED_AT_DESC: "Last changed first.",
        TemplateOrder.UPDATED_AT_ASC: "Last changed last.",
        TemplateOrder.CREATED_AT_DESC: "Newest first.",
        TemplateOrder.CREATED_AT_ASC: "Oldest first.",
    },
    name="PromptTemplateOrder",
)
