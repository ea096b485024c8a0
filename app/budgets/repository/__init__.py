"""Every statement that writes budgets, and what is spent and reserved of them."""

from app.budgets.repository.booking import are_bound, book
from app.budgets.repository.setting import Put, count_earlier, named, put, remove
from app.budgets.repository.upkeep import forget_older

__all__ = ["Put", "are_bound", "book", "count_earlier", "forget_older", "named", "put", "remove"]
