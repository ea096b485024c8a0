"""From the text of a document to what can be executed: read, measured, checked and its cost worked out, once."""

from collections.abc import Mapping
from dataclasses import dataclass

from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    OverlappingFieldsCanBeMergedRule,
    ValidationContext,
    parse,
    specified_rules,
    validate,
)
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule

from app.core.errors import AppError, LimitExceeded
from app.core.settings.limits import LimitSettings
from app.graph.body import BadRequest
from app.graph.cost import Cost, Costs
from app.graph.limits import DocumentTooLarge, require_length, require_measure

MOST_COMPARISONS = 20_000
"""Steps in which fields of the same name are compared: about 30 ms. What people write takes some hundreds, and
graphql-core 3.3.2 itself gives up after 500,000, which is a second."""

MOST_ERRORS = 5
"""That are told of one document: each unknown name is compared with all that there are, for a hint, and each wrong
value is printed as a whole."""

BYTES_PER_TOKEN = 450
"""Of a document that was read, measured with graphql-core 3.3.2 on documents of 160 and 2,400 tokens: 380 and 430."""


@dataclass(frozen=True, slots=True)
class PreparedDocument:
    """A document that was parsed and validated once."""

    document: DocumentNode | None
    errors: tuple[GraphQLError, ...]
    operations: Mapping[str | None, OperationDefinitionNode]
    """By their names, None where one has none."""
    costs: Mapping[str | None, Cost]
    size_bytes: int
    """What it takes of the memory, roughly."""

    def key(self, name: str | None) -> str | None:
        """The name of the operation that is asked for by `name`, or the only one: its place in the document.

        BadRequest when that is not one operation.
        """
        if name is not None:
            if name not in self.operations:
                raise BadRequest(
                    "the document has no operation of that name", field="operationName", hint="name one it has"
                )
            return name
        if len(self.operations) != 1:
            raise BadRequest(
                f"the document has {len(self.operations)} operations", field="operationName", hint="say which to run"
            )
        return next(iter(self.operations))


class _FewComparisons(OverlappingFieldsCanBeMergedRule):
    """The one rule that takes more than its share of time for a document made to that end."""

    def __init__(self, context: ValidationContext) -> None:
        super().__init__(context)
        self.rule_context.remaining_complexity_budget = MOST_COMPARISONS


_RULES = (
    *(_FewComparisons if rule is OverlappingFieldsCanBeMergedRule else rule for rule in specified_rules),
    # Strawberry's own, of inputs that are declared by its means.
    MaybeNullValidationRule,
    OneOfInputValidationRule,
)


class Preparation:
    """Prepares the documents of one schema."""

    def __init__(self, schema: GraphQLSchema, limits: LimitSettings) -> None:
        self._schema = schema
        self._limits = limits
        self._costs = Costs(schema)

    def prepare(self, text: str) -> PreparedDocument:
        """The document, or why it is none that is executed; what that takes is bounded by the limits."""
        try:
            require_length(text, self._limits)
            document = self._parsed(text)
            require_measure(document, self._limits)
        except GraphQLError as error:
            return _refused(text, error)
        except AppError as error:
            return _refused(text, GraphQLError(error.message, original_error=error))
        errors = [_limited(error) for error in validate(self._schema, document, _RULES, max_errors=MOST_ERRORS)]
        size = _size(text, document.token_count)
        if errors:
            return PreparedDocument(document, tuple(errors), {}, {}, size)
        operations = {
            found.name.value if found.name else None: found
            for found in document.definitions
            if isinstance(found, OperationDefinitionNode)
        }
        fragments = {
            found.name.value: found for found in document.definitions if isinstance(found, FragmentDefinitionNode)
        }
        costs = {name: self._costs.of(found, fragments) for name, found in operations.items()}
        return PreparedDocument(document, (), operations, costs, size)

    def _parsed(self, text: str) -> DocumentNode:
        allowed = self._limits.max_document_tokens
        try:
            return parse(text, max_tokens=allowed)
        except GraphQLError as error:
            if error.message.endswith(f"more than {allowed} tokens. Parsing aborted."):
                raise DocumentTooLarge("tokens", "tokens", allowed, None, "send several operations") from None
            raise


def _refused(text: str, error: GraphQLError) -> PreparedDocument:
    return PreparedDocument(None, (error,), {}, {}, _size(text, 0))


def _limited(error: GraphQLError) -> GraphQLError:
    """An error of validation; graphql-core gives up a document that nests or overlaps too much with bare words.

    Nothing is run but the parsers of scalars: what one raises is the value's fault. Python reads no whole number of
    more than 4,300 digits, and graphql-core 3.3 passes on what it raises then.
    """
    if isinstance(error.original_error, ValueError):
        return GraphQLError("the value cannot be read: a whole number has too many digits", error.nodes)
    if error.message != "Validation aborted.":
        return error
    refused = LimitExceeded(
        "the document takes too long to check: too many fields of the same name, or fragments inside each other",
        field="query",
        hint="select each field once, or give its repetitions aliases",
        details={"limit": "comparisons", "allowed": MOST_COMPARISONS},
    )
    return GraphQLError(refused.message, original_error=refused)


def _size(text: str, tokens: int) -> int:
    # A character takes up to four bytes, and each text is kept twice: by the cache, and by its document.
    return 1_000 + 4 * len(text) + BYTES_PER_TOKEN * tokens
