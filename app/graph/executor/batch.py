"""graphql-core's executor, which completes what a root field gives by a plan.

The root fields are resolved by graphql-core, in its order and with its errors. What they give is completed by the plan;
where that meets what it does not expect, graphql-core completes the same value again, and says what is wrong with it:
what was loaded by then is not loaded again (`Loader.known`).
"""

from typing import Any

from graphql import GraphQLObjectType, GraphQLOutputType, GraphQLResolveInfo
from graphql.execution import Executor
from graphql.execution.collect_fields import FieldDetails
from graphql.pyutils import Path

from app.graph.executor.plans import Plan, Plans
from app.telemetry.meters import GIVEN_BACK

PLANS = Plans()
"""Those of this process."""


class BatchExecutor(Executor[Any]):
    """Executes operations a level at a time."""

    _given_back: str | int | None = None
    """The root field that graphql-core is about to complete."""

    def complete_value(
        self,
        return_type: GraphQLOutputType,
        field_details_list: list[FieldDetails],
        info: GraphQLResolveInfo[Any],
        path: Path,
        result: Any,
        position_context: Any,
    ) -> Any:
        """Called by graphql-core for what a resolver returned."""
        if path.prev is None and path.key != self._given_back and result is not None:
            plan = self._plan(info.parent_type, path.key, field_details_list)
            if plan is not None:
                return self._by_plan(plan, return_type, field_details_list, info, path, result, position_context)
        return super().complete_value(return_type, field_details_list, info, path, result, position_context)

    def _plan(self, parent: GraphQLObjectType, key: str | int, details: list[FieldDetails]) -> Plan | None:
        if self.middleware_manager or self.abort_signal:
            return None
        return PLANS.of(self, parent, str(key), details)

    def _by_plan(self, plan: Plan, *value: Any) -> Any:
        try:
            completed = plan.complete(self, value[4])
        except Exception:
            return self._by_graphql_core(*value)
        return self._once_there(completed, *value) if self.is_awaitable(completed) else completed

    async def _once_there(self, completed: Any, *value: Any) -> Any:
        try:
            return await completed
        except Exception:
            given = self._by_graphql_core(*value)
            return await given if self.is_awaitable(given) else given

    def _by_graphql_core(self, *value: Any) -> Any:
        GIVEN_BACK.inc()
        self._given_back = value[3].key
        try:
            # What is awaited later is below the root field.
            return super().complete_value(*value)
        finally:
            self._given_back = None
