"""Walks the served schema: what is promised of every field is shown for fields to come, too."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast
from uuid import uuid4

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    build_schema,
    get_named_type,
    get_nullable_type,
    is_abstract_type,
    is_leaf_type,
    is_required_argument,
    is_required_input_field,
)

from app.core.ids import global_id
from app.schema import schema as served
from tests.uploads import FileToSend, without_files

SCHEMA = build_schema(served.as_str())

Ids = Mapping[str, str]
"""A global id for each type that implements Node."""

ID_NAMES = {
    "sessionId": "ChatSession", "messageId": "ChatMessage", "parentMessageId": "ChatMessage",
    "editedMessageId": "ChatMessage", "atMessageId": "ChatMessage",
    "attachmentId": "MessageAttachment",
    "session": "ChatSession", "message": "ChatMessage", "runId": "Run", "run": "Run", "toolCallId": "ToolCall",
    "toolExecutionId": "ToolExecution", "toolExecution": "ToolExecution", "budgetId": "Budget",
    "apiKeyId": "ApiKey",
    "templateId": "PromptTemplate", "promptTemplate": "PromptTemplate",
    "promptExecution": "PromptExecution",
    "projectId": "Project", "project": "Project", "upstreamId": "RequirementsAnalysis", "stage": "ProjectPlanning",
    "reviewId": "Review", "review": "Review", "promptGenerationId": "PromptGeneration",
}  # fmt: skip
"""Which type an input named so is the id of; of an argument `id`, the field's name tells."""

FOR_ADMINS = frozenset({"setBudget", "deleteBudget"})
"""Mutations of what the tenant has, and no user: tests/budgets shows what admins may, and their keys."""

_GOES_WITH = {"parentMessageId": "sessionId", "editedMessageId": "sessionId"}
"""What a valid value needs beside it: both are messages of the session that is named, and of no new one."""

_IN_PLACE_OF = {"templateId": "content", "promptGenerationId": "content"}
"""What an input is not given beside a field: a prompt is a template, a generated one, or a text of its own."""

_ALWAYS = {"SetPromptLabelInput": "version"}
"""A field of an input that must be there, though it may be null."""

_NAMED_SAMPLES = {
    "model": "local:echo", "to": "2026-02-01T12:00:00Z", "query": "plain or own", "label": "production",
    "stage": "PROJECT_PLANNING",
}  # fmt: skip
"""What must be something of its kind: a model that can be asked everywhere, the end of what begins at a DateTime, words
that are in the conversations which tests make, a label, a stage that is built on something."""

_SAMPLES: dict[str, object] = {
    "String": "a text", "Int": 1, "Float": 0.5, "Boolean": True, "JSON": {"some": "object"}, "Decimal": "1.5",
    "BigInt": "1", "DateTime": "2026-01-31T12:00:00Z", "Upload": FileToSend(),
}  # fmt: skip


def query_fields() -> dict[str, GraphQLField]:
    """The fields of Query."""
    return root_fields("query")


def mutation_fields() -> dict[str, GraphQLField]:
    """The fields of Mutation."""
    return root_fields("mutation")


def root_fields(operation: str) -> dict[str, GraphQLField]:
    """The fields of Query, Mutation or Subscription."""
    root = {"query": SCHEMA.query_type, "mutation": SCHEMA.mutation_type, "subscription": SCHEMA.subscription_type}[
        operation
    ]
    assert root is not None
    return dict(root.fields)


def node_types() -> list[str]:
    """The names of all types with a global id."""
    node = SCHEMA.get_type("Node")
    assert is_abstract_type(node)
    return sorted(possible.name for possible in SCHEMA.get_possible_types(node))


def random_id(type_name: str) -> str:
    """A well-formed global id of a type that names no row."""
    return global_id(type_name, f"{uuid4()}:1" if type_name in ("AuditEvent", "Story") else uuid4())


def random_ids() -> Ids:
    """Ids of every type that name no row."""
    return {name: random_id(name) for name in node_types()}


@dataclass(frozen=True, slots=True)
class Place:
    """One leaf of what a root field takes: an argument, a field of an input, a member of a list (`[]`)."""

    operation: str
    field: str
    path: tuple[str, ...]
    leaf: GraphQLNamedType

    def __str__(self) -> str:
        return f"{self.field}({'.'.join(self.path)})".replace(".[]", "[]")

    @property
    def name(self) -> str:
        """The name of the argument or input field."""
        return [part for part in self.path if part != "[]"][-1]


def places(operation: str) -> Iterator[Place]:
    """Every leaf of what the fields of Query, Mutation or Subscription take."""
    for name, field in root_fields(operation).items():
        for argument, kind in field.args.items():
            for path, leaf in _leaves(kind.type):
                yield Place(operation, name, (argument, *path), leaf)


def _leaves(kind: GraphQLInputType) -> Iterator[tuple[tuple[str, ...], GraphQLNamedType]]:
    bare = get_nullable_type(kind)
    if isinstance(bare, GraphQLList):
        for path, leaf in _leaves(bare.of_type):
            yield ("[]", *path), leaf
    elif isinstance(bare, GraphQLInputObjectType):
        for name, field in bare.fields.items():
            for path, leaf in _leaves(field.type):
                yield (name, *path), leaf
    else:
        yield (), get_named_type(bare)


def valid_arguments(operation: str, field: str, ids: Ids) -> dict[str, Any]:
    """Arguments that the field takes: what is required, and in a mutation one change; ids are taken from `ids`."""
    return arguments_with(Place(operation, field, (), SCHEMA.type_map["String"]), None, ids)


def arguments_with(place: Place, value: object, ids: Ids) -> dict[str, Any]:
    """Valid arguments with `value` at a place."""
    field = root_fields(place.operation)[place.field]
    head = place.path[0] if place.path else None
    wanted = {name: kind for name, kind in field.args.items() if is_required_argument(kind) or name == head}
    return {
        name: _value(kind.type, _id_type(place.field, name), ids, place.path[1:] if name == head else None, value)
        for name, kind in wanted.items()
    }


def _id_type(field: str, argument: str) -> str:
    return field if argument in ("id", "ids") else argument


def _value(kind: GraphQLInputType, name: str, ids: Ids, path: tuple[str, ...] | None, value: object) -> Any:
    """A valid value of a type, with `value` at `path`."""
    if path == ():
        return value
    bare = get_nullable_type(kind)
    if isinstance(bare, GraphQLList):
        return [_value(bare.of_type, name, ids, path and path[1:], value)]
    if isinstance(bare, GraphQLInputObjectType):
        return {
            inner: _value(field.type, inner, ids, path[1:] if path and path[0] == inner else None, value)
            for inner, field in bare.fields.items()
            if is_required_input_field(field)
            or inner in (*(path or ())[:1], _change(bare, path), _companion(path), _ALWAYS.get(bare.name))
        }
    if isinstance(bare, GraphQLEnumType):
        return _NAMED_SAMPLES.get(name, next(iter(bare.values)))
    named = get_named_type(bare)
    if named.name == "ID":
        if name in ("node", "nodes"):
            return ids["ChatSession"]
        assert name in ID_NAMES, f"say in ID_NAMES which type {name} is the id of"
        return ids[ID_NAMES[name]]
    assert named.name in _SAMPLES, f"say in _SAMPLES what a {named.name} looks like"
    return _NAMED_SAMPLES.get(name, _SAMPLES[named.name])


def _companion(path: tuple[str, ...] | None) -> str | None:
    """The input field that goes with the one at the head of a path."""
    return _GOES_WITH.get(path[0]) if path else None


def _change(kind: GraphQLInputObjectType, path: tuple[str, ...] | None) -> str | None:
    """The change of an input, where the field at the head of a path does not stand in its place."""
    change = _one_change(kind)
    return None if path and _IN_PLACE_OF.get(path[0]) == change else change


def _one_change(kind: GraphQLInputObjectType) -> str | None:
    """An update needs a change: the first free text that may be left out."""
    if "clientKey" not in kind.fields:
        return None
    for name, field in kind.fields.items():
        bare = get_nullable_type(field.type)
        if name != "clientKey" and not isinstance(bare, GraphQLList) and get_named_type(bare).name == "String":
            return str(name)
    return None


def document(operation: str, field: str, arguments: Mapping[str, Any], selected: str) -> str:
    """An operation of one root field that takes `arguments` as variables of the same names."""
    kinds = root_fields(operation)[field].args
    declared = ", ".join(f"${name}: {kinds[name].type}" for name in arguments)
    passed = ", ".join(f"{name}: ${name}" for name in arguments)
    head = f"{operation} ({declared})" if arguments else operation
    return f"{head} {{ {field}{f'({passed})' if passed else ''} {selected} }}"


def literal_document(operation: str, field: str, arguments: Mapping[str, Any], selected: str) -> str:
    """The same with the arguments written into the document; a file, which cannot be, is the variable `file`."""
    kinds = root_fields(operation)[field].args
    passed = ", ".join(f"{name}: {literal(value, kinds[name].type)}" for name, value in arguments.items())
    head = f"{operation} ($file: Upload!)" if without_files(arguments)[1] else operation
    return f"{head} {{ {field}{f'({passed})' if passed else ''} {selected} }}"


def file_variables(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The variables that go with a literal document."""
    return dict.fromkeys(["file"][: len(without_files(arguments)[1])], _SAMPLES["Upload"])


def literal(value: Any, kind: GraphQLInputType | None = None) -> str:
    """A value as GraphQL writes it."""
    bare = get_nullable_type(kind) if kind is not None else None
    if isinstance(value, dict):
        kinds = bare.fields if isinstance(bare, GraphQLInputObjectType) else {}
        pairs = ((name, literal(item, kinds[name].type if name in kinds else None)) for name, item in value.items())
        return "{" + ", ".join(f"{name}: {written}" for name, written in pairs) + "}"
    if isinstance(value, list):
        inner = bare.of_type if isinstance(bare, GraphQLList) else None
        return "[" + ", ".join(literal(item, inner) for item in value) + "]"
    if isinstance(value, FileToSend):
        return "$file"
    return str(value) if isinstance(bare, GraphQLEnumType) and value is not None else json.dumps(value)


def is_connection(kind: GraphQLNamedType) -> bool:
    """Whether a type is a page of a list."""
    return isinstance(kind, GraphQLObjectType) and {"nodes", "edges", "pageInfo"} <= kind.fields.keys()


def node_of(kind: GraphQLNamedType) -> GraphQLNamedType:
    """The type of a connection's nodes; any other type itself."""
    if isinstance(kind, GraphQLObjectType) and is_connection(kind):
        return cast("GraphQLNamedType", get_named_type(kind.fields["nodes"].type))
    return kind


def without_required(field: GraphQLField) -> bool:
    """Whether a field can be selected without arguments."""
    return not any(is_required_argument(argument) for argument in field.args.values())


def leaves(kind: GraphQLNamedType, prefix: str = "") -> str:
    """All scalars and enums of an object type."""
    assert isinstance(kind, GraphQLObjectType)
    names = [n for n, f in kind.fields.items() if is_leaf_type(get_named_type(f.type)) and without_required(f)]
    return " ".join(["__typename", *(f"{prefix}{name}: {name}" if prefix else name for name in names)])


def selection(kind: GraphQLNamedType, depth: int = 2, prefix: str = "") -> str:
    """A selection set: all leaves, and `depth` levels of objects below; lists by nodes and count."""
    if is_leaf_type(kind):
        return ""
    if is_abstract_type(kind):
        fragments = (
            f"... on {possible.name} {selection(possible, depth, possible.name + '_')}"
            for possible in SCHEMA.get_possible_types(kind)
        )
        return "{ __typename " + " ".join(fragments) + " }"
    if is_connection(kind):
        return "{ totalCount pageInfo { " + leaves(SCHEMA.type_map["PageInfo"]) + " } " + (
            f"nodes {selection(node_of(kind), depth)} }}"
        )  # fmt: skip
    assert isinstance(kind, GraphQLObjectType)
    below = [
        f"{prefix}{name}: {name} {selection(get_named_type(field.type), depth - 1)}"
        for name, field in kind.fields.items()
        if depth > 0 and not is_leaf_type(get_named_type(field.type)) and without_required(field)
    ]
    return "{ " + " ".join([leaves(kind, prefix), *below]) + " }"


def answer_of(operation: str, field: str, depth: int = 1) -> str:
    """The selection of all that a root field answers."""
    return selection(get_named_type(root_fields(operation)[field].type), depth)


def required(kind: GraphQLInputType) -> bool:
    """Whether null is refused."""
    return isinstance(kind, GraphQLNonNull)
