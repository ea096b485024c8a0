"""What can be wrong with budgets, and what they refuse."""

from app.budgets.values import BudgetPeriod, BudgetScope, Refused
from app.core.errors import AppError, ErrorCode


class BudgetExceeded(AppError):
    """A budget has no room for what an answer might spend. What others have spent is not told."""

    code = ErrorCode.BUDGET_EXCEEDED

    def __init__(self, refused: Refused) -> None:
        scope, period = BudgetScope(refused.scope), BudgetPeriod(refused.period)
        whose = {
            BudgetScope.TENANT: "your tenant's budget",
            BudgetScope.USER: "your budget",
            BudgetScope.MODEL: f"the budget for {refused.model}",
        }[scope]
        resets_at = refused.resets_at.isoformat()
        super().__init__(
            f"{whose} of {_limits(refused)} a {period} has no room left for this answer",
            hint=f"it is counted anew from {resets_at}; a smaller maxOutputTokens may fit before"
            if refused.fits_alone
            else "it would not fit into an unused budget: ask for less with maxOutputTokens",
            details={
                "scope": scope.name,
                "period": period.name,
                "model": refused.model or None,
                "limitCost": None if refused.limit_cost is None else f"{refused.limit_cost.normalize():f}",
                "limitTokens": None if refused.limit_tokens is None else str(refused.limit_tokens),
                "resetsAt": resets_at,
            },
        )
        self.retryable = refused.fits_alone


class AdminsOnly(AppError):
    """Budgets are set by admins."""

    code = ErrorCode.FORBIDDEN

    def __init__(self) -> None:
        super().__init__("only an admin may set and delete budgets", hint="read your own as viewer { budgets }")


class BudgetNotFound(AppError):
    """There is no such budget in the tenant."""

    code = ErrorCode.NOT_FOUND

    def __init__(self, field: str = "budgetId") -> None:
        super().__init__("there is no such budget", field=field, hint="read the budgets again")


def _limits(refused: Refused) -> str:
    said = []
    if refused.limit_tokens is not None:
        said.append(f"{refused.limit_tokens:,} tokens")
    if refused.limit_cost is not None:
        said.append(f"{refused.limit_cost.normalize():f} US dollars")
    return " and ".join(said)
