"""The statement that reserves and settles."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Numeric,
    Text,
    Uuid,
    and_,
    any_,
    case,
    column,
    delete,
    exists,
    func,
    literal,
    literal_column,
    or_,
    select,
    true,
    union_all,
)
from sqlalchemy.dialects.postgresql import insert

from app.budgets.fragments import USAGE_KEY, binds, budgets, period_end, period_start, reservations, usage
from app.budgets.values import ANY, BudgetScope, Entry, Refused, as_stored, at_most
from app.db.scopes import ReadScope, UnitOfWork
from app.db.statement import Command, Query, param

_TENANT = param("tenant_id", Text)
_NO_COST, _NO_TOKENS = literal(Decimal(0), Numeric), literal(0, BigInteger)

_COUNTED = ("spent_cost", "spent_tokens", "unpriced_tokens", "reserved_cost", "reserved_tokens")


def _book() -> Command[Refused]:
    """Reserve and settle for some runs in all their budgets, and find those that have no room.

    What there was for the runs goes, what they spent is counted in the period in which it was reserved, and what is to
    be reserved comes in. It is done in any case: where a budget is found to be passed, the transaction is rolled back.
    The caller holds the locks of the runs, so that nobody else changes their reservations.
    """
    given = _given()
    ours = (reservations.c.tenant_id == _TENANT, reservations.c.run_id == given.c.run_id)
    # Where an erasure or the end of a budget has taken the usage away, there is nothing to give back.
    same = [usage.c[name] == reservations.c[name] for name in USAGE_KEY]
    held = (
        select(*reservations.c)
        .select_from(given)
        .join(reservations, and_(*ours))
        .join(usage, and_(usage.c.tenant_id == _TENANT, *same))
        .cte("held")
    )
    none = literal(ANY, Text)
    of_user, of_model = (
        budgets.c.scope == literal(scope.value, Text) for scope in (BudgetScope.USER, BudgetScope.MODEL)
    )
    binding = (
        select(
            *given.c,
            budgets.c.id.label("budget_id"),
            period_start().label("period_start"),
            case((of_user, given.c.asker), else_=none).label("user_id"),
            case((of_model, given.c.asked), else_=none).label("model"),
        )
        .select_from(given)
        .join(budgets, binds(given.c.asker, given.c.asked))
        .cte("binding")
    )
    moved = _moved(given, held, binding)
    return Command(Refused, _refused(moved).add_cte(_reserved(binding), _settled(given)))


def _given() -> Any:
    columns = {
        "run_id": Uuid, "asker": Text, "asked": Text, "reserves": Boolean, "prompt_tokens": BigInteger,
        "prompt_cost": Numeric, "output_tokens": BigInteger, "output_cost": Numeric, "spent_cost": Numeric,
        "spent_tokens": BigInteger, "unpriced_tokens": BigInteger,
    }  # fmt: skip
    arrays = [param(f"all_{name}", ARRAY(kind)) for name, kind in columns.items()]
    typed: list[Any] = [column(name, kind) for name, kind in columns.items()]
    given = func.unnest(*arrays).table_valued(*typed).render_derived(name="given")
    return select(*given.c).cte("entries")


def _moved(given: Any, held: Any, binding: Any) -> Any:
    """What changes in each row of usage, one of a row."""
    back = select(
        *(held.c[name] for name in USAGE_KEY),
        given.c.spent_cost, given.c.spent_tokens, given.c.unpriced_tokens,
        (-func.coalesce(held.c.prompt_cost + held.c.output_cost, _NO_COST)).label("reserved_cost"),
        (-(held.c.prompt_tokens + held.c.output_tokens)).label("reserved_tokens"),
        _NO_COST.label("asked_cost"), _NO_TOKENS.label("asked_tokens"),
    ).join(given, given.c.run_id == held.c.run_id)  # fmt: skip
    # A budget that was set while the turn went on counts what it spent, though nothing was reserved of it.
    was_held = (
        select(held.c.run_id)
        .where(held.c.run_id == binding.c.run_id, held.c.budget_id == binding.c.budget_id)
        .correlate(binding)
        .exists()
    )
    cost = func.coalesce(binding.c.prompt_cost + binding.c.output_cost, _NO_COST)
    tokens = binding.c.prompt_tokens + binding.c.output_tokens
    new = select(
        *(binding.c[name] for name in USAGE_KEY),
        *(
            case((was_held, nothing), else_=binding.c[name]).label(name)
            for name, nothing in (
                ("spent_cost", _NO_COST), ("spent_tokens", _NO_TOKENS), ("unpriced_tokens", _NO_TOKENS),
            )
        ),
        cost.label("reserved_cost"), tokens.label("reserved_tokens"),
        cost.label("asked_cost"), tokens.label("asked_tokens"),
    ).where(or_(binding.c.reserves, (binding.c.spent_tokens > 0) & ~was_held))  # fmt: skip
    changes = union_all(back, new).subquery("changes")
    amounts = (*_COUNTED, "asked_cost", "asked_tokens")
    return (
        select(
            *(changes.c[name] for name in USAGE_KEY),
            *(func.sum(changes.c[name]).cast(changes.c[name].type).label(name) for name in amounts),
        )
        .group_by(*(changes.c[name] for name in USAGE_KEY))
        .cte("moved")
    )


def _refused(moved: Any) -> Any:
    nothing = {name: _NO_COST if name.endswith("cost") else _NO_TOKENS for name in _COUNTED}
    key = [moved.c[name] for name in USAGE_KEY]
    row = {"tenant_id": _TENANT, **dict(zip(USAGE_KEY, key, strict=True))}
    # A new row begins at nothing: its checks would refuse what goes back before it is seen that there is a row.
    row |= {name: func.greatest(moved.c[name], nothing[name]) for name in _COUNTED}
    kept: Any = insert(usage).from_select(list(row), select(*row.values()).order_by(*key))
    change = moved.alias("change")
    # In words: as a table of its own, SQLAlchemy 2.1 would put EXCLUDED into the FROM of the subquery.
    changes = {
        name: func.greatest(
            usage.c[name]
            + select(change.c[name])
            .where(*(change.c[part] == literal_column(f"excluded.{part}") for part in USAGE_KEY))
            .scalar_subquery(),
            nothing[name],
        )
        for name in _COUNTED
    }
    # Updated where it is there, in its newest version: the row's lock is waited for here.
    now = kept.on_conflict_do_update(constraint=usage.primary_key, set_=changes).returning(*usage.c).cte("now")
    grows = {unit: moved.c[f"spent_{unit}"] + moved.c[f"reserved_{unit}"] > 0 for unit in ("cost", "tokens")}
    passed = [
        and_(
            moved.c[f"asked_{unit}"] > 0,
            grows[unit],
            now.c[f"spent_{unit}"] + now.c[f"reserved_{unit}"] > budgets.c[f"limit_{unit}"],
        )
        for unit in ("cost", "tokens")
    ]
    fits_alone = and_(
        *(func.coalesce(moved.c[f"asked_{unit}"] <= budgets.c[f"limit_{unit}"], true()) for unit in ("cost", "tokens"))
    )
    resets_at = period_end(now.c.period_start)
    return (
        select(
            budgets.c.scope, now.c.model, budgets.c.period, budgets.c.limit_cost, budgets.c.limit_tokens,
            resets_at.label("resets_at"), fits_alone.label("fits_alone"),
        )
        .select_from(now)
        .join(moved, and_(*(now.c[name] == moved.c[name] for name in USAGE_KEY)))
        .join(budgets, (budgets.c.tenant_id == _TENANT) & (budgets.c.id == now.c.budget_id))
        .where(or_(*passed))
        # The one that lasts the longest is what there is to wait for.
        .order_by(fits_alone, resets_at.desc(), budgets.c.id)
    )  # fmt: skip


def _reserved(binding: Any) -> Any:
    row = {
        "tenant_id": _TENANT, "run_id": binding.c.run_id, **{name: binding.c[name] for name in USAGE_KEY},
        "prompt_tokens": binding.c.prompt_tokens, "prompt_cost": binding.c.prompt_cost,
        "output_tokens": binding.c.output_tokens, "output_cost": binding.c.output_cost,
    }  # fmt: skip
    stored: Any = insert(reservations).from_select(list(row), select(*row.values()).where(binding.c.reserves))
    again = {name: stored.excluded[name] for name in row if name not in ("tenant_id", "run_id", "budget_id")}
    return stored.on_conflict_do_update(constraint=reservations.primary_key, set_=again).cte("reserved")


def _settled(given: Any) -> Any:
    ended = select(given.c.run_id).where(~given.c.reserves)
    return (
        delete(reservations).where(reservations.c.tenant_id == _TENANT, reservations.c.run_id.in_(ended)).cte("settled")
    )


_BOOK = _book()

_ARE_BOUND = Query(
    bool,
    select(
        or_(
            exists(
                select(budgets.c.id).where(
                    budgets.c.tenant_id == _TENANT,
                    budgets.c.user_id == any_(param("users", ARRAY(Text))),
                    budgets.c.model == any_(param("models", ARRAY(Text))),
                )
            ),
            exists(
                select(reservations.c.run_id).where(
                    reservations.c.tenant_id == _TENANT, reservations.c.run_id == any_(param("runs", ARRAY(Uuid)))
                )
            ),
        ).label("bound")
    ),
)


async def are_bound(scope: ReadScope, tenant_id: str, entries: Sequence[Entry]) -> bool:
    """Whether a budget may limit one of the runs, or something is reserved for one: else there is nothing to book.

    Where there are no budgets it is all that they cost: an eighth of the time of the statement that books.
    """
    found = await scope.first(
        _ARE_BOUND,
        tenant_id=tenant_id,
        users=[ANY, *{entry.user_id for entry in entries}],
        models=[ANY, *{entry.model for entry in entries}],
        runs=[entry.run_id for entry in entries],
    )
    return bool(found)


async def book(uow: UnitOfWork, tenant_id: str, entries: Sequence[Entry]) -> list[Refused]:
    """Reserve and settle for runs of a tenant; the budgets that have no room, first the one to wait the longest for.

    Where there are any, the unit of work must not be committed.
    """
    return await uow.run(
        _BOOK,
        tenant_id=tenant_id,
        all_run_id=[entry.run_id for entry in entries],
        all_asker=[entry.user_id for entry in entries],
        all_asked=[entry.model for entry in entries],
        all_reserves=[entry.reserved is not None for entry in entries],
        all_prompt_tokens=[entry.reserved.prompt.tokens if entry.reserved else 0 for entry in entries],
        all_output_tokens=[entry.reserved.output.tokens if entry.reserved else 0 for entry in entries],
        all_prompt_cost=[_priced(entry, "prompt") for entry in entries],
        all_output_cost=[_priced(entry, "output") for entry in entries],
        all_spent_tokens=[entry.spent.tokens if entry.spent else 0 for entry in entries],
        all_spent_cost=[as_stored(entry.spent.cost or Decimal(0)) if entry.spent else Decimal(0) for entry in entries],
        all_unpriced_tokens=[
            entry.spent.tokens if entry.spent and entry.spent.cost is None else 0 for entry in entries
        ],
    )


def _priced(entry: Entry, part: str) -> Decimal | None:
    bound = entry.reserved
    if bound is None:
        return Decimal(0)
    return at_most(getattr(bound, part).cost) if bound.priced else None
