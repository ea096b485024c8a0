"""What a field is given in the document: its arguments, of which a plan keeps those that are the same each time."""

from collections.abc import Mapping
from typing import Any

from graphql import FieldNode, GraphQLError, GraphQLField, VariableNode
from graphql.execution import Executor
from graphql.execution.values import get_argument_values

from app.graph.arguments import bare


def given_to(executor: Executor[Any], definition: GraphQLField, node: FieldNode) -> dict[str, Any]:
    """The arguments as graphql-core coerces them, defaults included; GraphQLError."""
    return get_argument_values(definition, node, executor.variable_values, None, executor.hide_suggestions)


def constant_arguments(executor: Executor[Any], definition: GraphQLField, node: FieldNode) -> Mapping[str, Any] | None:
    """What each call of the field's resolver is given; None where a variable tells, or the field has extensions.

    None also with lists and inputs, which a resolver could change, and with what is refused: that is told when the
    field is asked for.
    """
    plain = bare(definition)
    if plain is None or any(isinstance(argument.value, VariableNode) for argument in node.arguments or ()):
        return None
    try:
        arguments = plain.arguments(given_to(executor, definition, node))
        # What holds a variable is a list or an object.
        hash(tuple(arguments.values()))
    except (GraphQLError, TypeError):
        return None
    return arguments
