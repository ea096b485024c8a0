"""What agents keep in a session."""

import strawberry
from strawberry import field

from app.core.ids import new_id
from app.graph.context import Info
from app.graph.inputs import input_type
from app.graph.payloads import Changed, Payload, json_object, mutation
from app.graph.scalars import Json
from app.idempotency.graphql import KEY_DESCRIPTION, keyed_write
from app.sessions import service
from app.sessions.errors import StateConflict
from app.sessions.graphql.types import AgentStateType, session_id
from app.sessions.values import AgentStateId, NewAgentState


@input_type("The state of an agent in a session, from now on.")
class SetAgentStateInput:
    session_id: strawberry.ID = field(description="The session.")
    agent_id: str = field(description="The agent, as the application names it, at most 255 characters.")
    state: Json = field(description="All that it keeps from now on: free JSON object, at most 64 KiB; {} is nothing.")
    expected_version: int | None = field(
        default=None,
        description="The version that it was worked out from, 0 where there was none: another state is refused with "
        "VERSION_CONFLICT, and the payload has that one. Without it, the last writer wins.",
    )
    client_key: str | None = field(default=None, description=KEY_DESCRIPTION)


@strawberry.type(description="What setAgentState answers.")
class SetAgentStatePayload(Payload):
    agent_state: AgentStateType | None = field(
        description="The state as it is now; where its version was another, the one that is there."
    )


@strawberry.type
class AgentMutations:
    @mutation(SetAgentStatePayload, "Keep the state of an agent in a session, replacing the one before.")
    async def set_agent_state(self, info: Info, input: SetAgentStateInput) -> Changed:
        new = NewAgentState(
            AgentStateId(new_id()),
            session_id(input.session_id),
            input.agent_id,
            json_object(input.state, "state"),
            input.expected_version,
        )
        try:
            async with keyed_write(info, input) as (uow, key):
                outcome = await service.set_agent_state(uow, info.context.actor, new, key)
        except StateConflict as conflict:
            return Changed({"agent_state": conflict.found}, refused=conflict)
        return Changed({"agent_state": outcome.agent_state}, outcome.deduplicated)
