"""What every server is asked, in the words of each; aliases make the answers of all look alike."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import orjson

from benchmarks.conversations import ACTOR, SESSIONS, USER, session_global_id, session_id

_SESSION = "title description status agentId model provider createdAt updatedAt"
_MESSAGE = "sequenceNumber role status content tokenCount createdAt"
_CALL = "position name arguments result success durationMs"

_OWNERS = f'tenantId: "{ACTOR.tenant_id}", userId: "{USER}", projectId: null'
_NEWEST = "[UPDATED_AT_DESC, ROW_ID_DESC]"
"""PostGraphile's name for the order in which the others list."""


@dataclass(frozen=True, slots=True)
class Question:
    """One thing to know, as GraphQL of a schema by hand, of PostGraphile, and by the name of its statement.

    Where it is about one session, it is asked about each of SESSIONS in turn, which are the variable `id`.
    """

    name: str
    title: str
    expected: str
    """Part of every right answer, whoever gives it."""
    by_hand: str
    """Both Colloquy's and Yoga's: the two schemas agree on names."""
    postgraphile: str
    of_one_session: bool = False


QUESTIONS: Mapping[str, Question] = {
    question.name: question
    for question in (
        Question(
            "page",
            f"page: {SESSIONS} sessions, their last 20 messages, their tool calls",
            '"Session 1"',
            f"""{{
  sessions(first: {SESSIONS}) {{ nodes {{
    id title status updatedAt messageCount
    messages(last: 20) {{
      nodes {{ id {_MESSAGE} toolCalls {{ id {_CALL} }} }}
      pageInfo {{ hasPreviousPage startCursor }}
    }}
  }} }}
}}""",
            f"""{{
  sessions: allChatSessions(first: {SESSIONS}, condition: {{{_OWNERS}}}, orderBy: {_NEWEST}) {{ nodes {{
    id: rowId title status updatedAt messageCount: lastSequence
    messages: chatMessagesByTenantIdAndSessionId(last: 20, orderBy: SEQUENCE_NUMBER_ASC) {{
      nodes {{
        id: rowId {_MESSAGE}
        toolCalls: toolCallsByTenantIdAndMessageIdList(orderBy: POSITION_ASC) {{ id: rowId {_CALL} }}
      }}
      pageInfo {{ hasPreviousPage startCursor }}
    }}
  }} }}
}}""",
        ),
        Question(
            "list",
            "list: 50 sessions",
            '"Session 171"',
            f"""{{
  sessions(first: 50) {{
    nodes {{ id {_SESSION} messageCount }}
    pageInfo {{ hasNextPage endCursor }}
  }}
}}""",
            f"""{{
  sessions: allChatSessions(first: 50, condition: {{{_OWNERS}}}, orderBy: {_NEWEST}) {{
    nodes {{ id: rowId {_SESSION} messageCount: lastSequence }}
    pageInfo {{ hasNextPage endCursor }}
  }}
}}""",
        ),
        Question(
            "single",
            "single: one session with 100 messages",
            '"Session ',
            f"""query Single($id: ID!) {{
  session(id: $id) {{
    id {_SESSION} messageCount
    messages(last: 100) {{ nodes {{ id {_MESSAGE} }} pageInfo {{ hasPreviousPage startCursor }} }}
  }}
}}""",
            f"""query Single($id: UUID!) {{
  session: chatSessionByTenantIdAndRowId(tenantId: "{ACTOR.tenant_id}", rowId: $id) {{
    id: rowId {_SESSION} messageCount: lastSequence
    messages: chatMessagesByTenantIdAndSessionId(last: 100, orderBy: SEQUENCE_NUMBER_ASC) {{
      nodes {{ id: rowId {_MESSAGE} }}
      pageInfo {{ hasPreviousPage startCursor }}
    }}
  }}
}}""",
            of_one_session=True,
        ),
    )
}

Ask = Callable[[Question], list[str]]
"""The bodies of the requests by which a server is asked a question: all of these are right, and are sent in turn."""


def of_colloquy(question: Question) -> list[str]:
    """Sessions by their global ids."""
    return _bodies(question, question.by_hand, session_global_id)


def of_yoga(question: Question) -> list[str]:
    """Sessions by their UUIDs."""
    return _bodies(question, question.by_hand, lambda number: str(session_id(number)))


def of_postgraphile(question: Question) -> list[str]:
    """The same."""
    return _bodies(question, question.postgraphile, lambda number: str(session_id(number)))


def of_sql(question: Question) -> list[str]:
    """No GraphQL: the question's name."""
    return _bodies(question, question.name, lambda number: str(session_id(number)))


def _bodies(question: Question, query: str, id_of: Callable[[int], str]) -> list[str]:
    if not question.of_one_session:
        return [orjson.dumps({"query": query}).decode()]
    return [
        orjson.dumps({"query": query, "variables": {"id": id_of(number)}}).decode() for number in range(1, SESSIONS + 1)
    ]
