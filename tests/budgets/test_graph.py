"""Budgets as admins set them and users see them."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.client import GraphQLClient
from tests.conversations import rows
from tests.fakes import StatementRecorder
from tests.worlds import ClientAs, stored

FIGURES = """id scope subject period limitCost limitTokens usedBy spentCost spentTokens unpricedTokens reservedCost
    reservedTokens remainingCost remainingTokens periodStartsAt resetsAt"""
MINE = f"{{ viewer {{ budgets {{ {FIGURES} }} }} }}"


async def set_by(admin: GraphQLClient, **input_: Any) -> dict[str, Any]:
    """The payload of a budget that is set."""
    return await admin.mutate("setBudget", f"budget {{ {FIGURES} }}", {"scope": "TENANT", "period": "DAY", **input_})


async def test_an_admin_sets_a_budget_and_sets_it_again(client_as: ClientAs, dsn: str) -> None:
    admin = await client_as("system")

    first = await set_by(admin, limitTokens="1000", clientKey="once")
    again = await set_by(admin, limitTokens="1000", clientKey="once")
    changed = await set_by(admin, limitCost="2.5")

    assert (first["success"], first["deduplicated"], again["deduplicated"]) == (True, False, True)
    assert first["budget"] == again["budget"]
    day = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    assert changed["budget"] == {
        "id": first["budget"]["id"], "scope": "TENANT", "subject": None, "period": "DAY", "limitCost": "2.5",
        "limitTokens": None, "usedBy": None, "spentCost": "0", "spentTokens": "0", "unpricedTokens": "0",
        "reservedCost": "0", "reservedTokens": "0", "remainingCost": "2.5", "remainingTokens": None,
        "periodStartsAt": day.isoformat(), "resetsAt": (day + timedelta(days=1)).isoformat(),
    }  # fmt: skip
    assert len(await rows(dsn, "SELECT * FROM budgets")) == 1


async def test_month_ends_with_the_month(client_as: ClientAs) -> None:
    payload = await set_by(await client_as("system"), period="MONTH", limitTokens="1")

    month = datetime.now(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    assert payload["budget"]["periodStartsAt"] == month.isoformat()
    assert payload["budget"]["resetsAt"] == (month + timedelta(days=32)).replace(day=1).isoformat()


async def test_only_an_admin_sets_and_deletes(client_as: ClientAs, dsn: str) -> None:
    admin, alice = await client_as("system"), await client_as("alice")
    budget = (await set_by(admin, limitTokens="1"))["budget"]["id"]
    before = await stored(dsn)

    refused = await set_by(alice, limitTokens="1000000")
    kept = await alice.mutate("deleteBudget", "deletedBudgetId", {"budgetId": budget})

    assert (refused["error"]["code"], kept["error"]["code"]) == ("FORBIDDEN", "FORBIDDEN")
    assert await stored(dsn) == before


async def test_deletion_lifts_the_limit_once(client_as: ClientAs) -> None:
    admin = await client_as("system")
    budget = (await set_by(admin, limitTokens="1"))["budget"]["id"]
    assert (await admin.mutate("sendMessage", "run { id }", {"content": "Hi"}))["error"]["code"] == "BUDGET_EXCEEDED"

    first = await admin.mutate("deleteBudget", "deletedBudgetId", {"budgetId": budget, "clientKey": "k"})
    again = await admin.mutate("deleteBudget", "deletedBudgetId", {"budgetId": budget, "clientKey": "k"})
    gone = await admin.mutate("deleteBudget", "deletedBudgetId", {"budgetId": budget})

    assert (first["deletedBudgetId"], again["deletedBudgetId"], again["deduplicated"]) == (budget, budget, True)
    assert gone["error"]["code"] == "NOT_FOUND"
    assert (await admin.mutate("sendMessage", "run { id }", {"content": "Hi"}))["success"]


async def test_what_cannot_be_a_budget_is_refused_by_its_field(client_as: ClientAs, dsn: str) -> None:
    admin = await client_as("system")
    before = await stored(dsn)

    wrong: list[tuple[dict[str, Any], str]] = [
        ({}, "limitTokens"),
        ({"subject": "alice", "limitTokens": "1"}, "subject"),
        ({"scope": "USER", "subject": "", "limitTokens": "1"}, "subject"),
        ({"scope": "USER", "subject": "a" * 129, "limitTokens": "1"}, "subject"),
        ({"scope": "MODEL", "subject": "m" * 256, "limitTokens": "1"}, "subject"),
        ({"limitTokens": "-1"}, "limitTokens"),
        ({"limitTokens": str(2**60)}, "limitTokens"),
        ({"limitCost": "-0.01"}, "limitCost"),
        ({"limitCost": "1e12"}, "limitCost"),
    ]
    for input_, field in wrong:
        error = (await set_by(admin, **input_))["error"]
        assert (error["code"], error["field"]) == ("VALIDATION_ERROR", field), input_
    assert await stored(dsn) == before


async def test_a_viewer_sees_what_binds_them_with_their_own_figures(
    client_as: ClientAs, statements: StatementRecorder
) -> None:
    admin, alice, bob = await client_as("system"), await client_as("alice"), await client_as("bob")
    await set_by(await client_as("system@acme"), limitTokens="7")
    await set_by(admin, limitTokens="10000")
    await set_by(admin, scope="USER", limitTokens="5000")
    await set_by(admin, scope="USER", subject="bob", limitTokens="4000")
    await set_by(admin, scope="MODEL", limitTokens="3000")
    for user, most in ((alice, 100), (bob, 20)):
        sent = await user.mutate("sendMessage", "run { id }", {"content": "Hi", "maxOutputTokens": most})
        assert sent["success"]

    statements.clear()
    seen = (await alice.data(MINE))["viewer"]["budgets"]
    asked = len(statements.sent)
    listed = (await alice.data(f"{{ budgets {{ totalCount nodes {{ {FIGURES} }} }} }}"))["budgets"]
    of_all = (await admin.data("{ budgets { totalCount nodes { subject limitTokens } } }"))["budgets"]

    assert [(one["scope"], one["subject"], one["usedBy"], one["reservedTokens"]) for one in seen] == [
        ("MODEL", None, "local:extractive", "120"),
        ("TENANT", None, None, "120"),
        ("USER", None, "alice", "100"),
    ]
    assert [one["remainingTokens"] for one in seen] == ["2880", "9880", "4900"]
    assert asked == 1
    assert sorted(one["id"] for one in listed["nodes"]) == sorted(one["id"] for one in seen)
    assert (listed["totalCount"], of_all["totalCount"]) == (3, 4)


async def test_refusal_is_data_and_its_key_is_not_used_up(client_as: ClientAs, dsn: str) -> None:
    admin, alice = await client_as("system"), await client_as("alice")
    await set_by(admin, scope="USER", limitTokens="50")
    before = await stored(dsn)

    refused = await alice.mutate(
        "sendMessage", "run { id }", {"content": "Hi", "maxOutputTokens": 51, "clientKey": "once"}
    )

    assert await stored(dsn) == before
    assert (refused["success"], refused["run"]) == (False, None)
    assert refused["error"]["code"] == "BUDGET_EXCEEDED"
    taken = await alice.mutate(
        "sendMessage", "run { id }", {"content": "Hi", "maxOutputTokens": 50, "clientKey": "once"}
    )
    assert (taken["success"], taken["deduplicated"]) == (True, False)


async def test_without_budgets_an_answer_costs_one_statement_that_locks_nothing(
    client_as: ClientAs, statements: StatementRecorder, dsn: str
) -> None:
    alice, admin = await client_as("alice"), await client_as("system")

    async def sent() -> list[str]:
        statements.clear()
        assert (await alice.mutate("sendMessage", "run { id }", {"content": "Hi", "maxOutputTokens": 1}))["success"]
        return [sql for sql in statements.sent if "budget_reservations" in sql]

    free = await sent()
    assert await rows(dsn, "SELECT * FROM budget_usage") == []
    for scope in ("TENANT", "USER", "MODEL"):
        await set_by(admin, scope=scope, limitTokens="1000000")

    [asked] = free
    assert ("budget_usage" in asked, " FOR " in asked, "INSERT" in asked) == (False, False, False)
    [again, booked] = await sent()
    assert (again, "budget_usage" in booked) == (asked, True)
