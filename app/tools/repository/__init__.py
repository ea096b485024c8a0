"""Every statement that writes tool calls and their executions."""

from app.tools.repository.calls import SAME_CALL, add, calls_of_message, copy, count_copied, owned_call, take_over
from app.tools.repository.executions import (
    ONE_EXECUTION,
    add_execution,
    change_execution,
    input_of,
    lock_of_message,
    owned_execution,
)
from app.tools.repository.past import take_over_execution
from app.tools.repository.upkeep import OverdueApproval, overdue

__all__ = [
    "ONE_EXECUTION",
    "SAME_CALL",
    "OverdueApproval",
    "add",
    "add_execution",
    "calls_of_message",
    "change_execution",
    "copy",
    "count_copied",
    "input_of",
    "lock_of_message",
    "overdue",
    "owned_call",
    "owned_execution",
    "take_over",
    "take_over_execution",
]
