"""What a run used and what that costs."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from app.budgets.values import Amount, Bound
from app.llm.port import Usage
from app.llm.tokens import TokenCount
from app.runs.models import Run
from app.runs.values import Spending

LONGEST_COUNTED = 50_000
"""Characters. A longer text that no provider counted is estimated by its length: the session's row is locked."""

BOUNDED_OUTPUT = 4_096
"""Tokens. What a model may write where a budget limits it and nobody says: some 3,000 words."""

CHARACTERS_PER_TOKEN = 4
"""OpenAI's rule of thumb for English; marked as an estimate wherever it is used."""


@dataclass(frozen=True, slots=True)
class Accounts:
    """Without state."""

    count_tokens: Callable[[str, str | None], TokenCount]
    price: Callable[[str, str, Usage], Decimal | None]
    """What a model of a provider costs for usage; None where that is not known."""
    bounded_output: int = BOUNDED_OUTPUT
    """The most that a run writes which a budget limits, where it names no bound itself."""

    def of(self, run: Run, reported: Usage | None, text: str, *, begun: bool) -> Spending:
        """What a turn spent that has ended: by the provider's count, else estimated where an answer had `begun`."""
        provider, _, model = run.model.partition(":")
        if reported is not None:
            return Spending(reported, self.price(provider, model, reported), estimated=False)
        if not begun:
            # Refused, cancelled or given up before the first word: providers ask nothing for that.
            return Spending(Usage(), Decimal(0), estimated=False)
        usage = Usage(input=run.prompt_tokens or 0, output=self.tokens_in(text, model).tokens)
        return Spending(usage, self.price(provider, model, usage), estimated=True)

    def bound(self, run: Run, prompt_tokens: int) -> Bound:
        """The most that a turn can spend which reads so much."""
        output = run.max_output_tokens or self.bounded_output
        return Bound(
            Amount(prompt_tokens, self.cost_of(run.model, Usage(input=prompt_tokens))),
            Amount(output, self.cost_of(run.model, Usage(output=output))),
        )

    def cost_of(self, model: str, usage: Usage) -> Decimal | None:
        """What usage of a model costs, as `provider:model`; None where that is not known."""
        provider, _, name = model.partition(":")
        return self.price(provider, name, usage)

    def tokens_in(self, text: str, model: str) -> TokenCount:
        """How many tokens a text has, within some milliseconds."""
        if len(text) > LONGEST_COUNTED:
            return TokenCount(len(text) // CHARACTERS_PER_TOKEN, estimated=True)
        return self.count_tokens(text, model)
