"""Runs that call tools: turn after turn, until the model has nothing more to ask."""

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from uuid import UUID

import pytest

from app.core.actor import Actor
from app.graph.loading import Loaders
from app.messages.values import MessageId
from app.runs.following import CalledTool, Delta, Ended, NewTurn, Snapshot
from app.runs.loaders import MessagesOfRun, RunOfMessage
from app.runs.values import MOST_TURNS, RunId
from app.sessions.values import SessionId
from tests.conversations import rows, value
from tests.llm.provider_servers import ProviderServer, Request, openai_answer, openai_tool_call
from tests.runs.conftest import Process, a_process_asking
from tests.runs.scenes import agrees, ask, end_of, followed, ledger_of, row_of, text_of
from tests.runs.turning import (
    CLOCK,
    RISKY,
    WEATHER,
    calls_weather,
    conversation,
    decide,
    executions,
    report,
    waits,
)


def told_to_model(request: Request) -> list[tuple[str, str | None]]:
    """Role and text of what a model was asked."""
    return [(part["role"], part.get("content")) for part in request.body["messages"]]


def offered(request: Request) -> list[str]:
    return [tool["function"]["name"] for tool in request.body["tools"]]


async def test_model_goes_on_with_what_a_tool_of_the_client_told(
    asking: Process, server: ProviderServer, actor: Actor, session_id: SessionId, dsn: str
) -> None:
    server.script(calls_weather("Rome", text="Let me look."), openai_answer("It is sunny in Rome."))

    run = await ask(asking, actor, session_id, "Weather?", tools=(WEATHER,))
    await waits(dsn, run)
    [execution] = await executions(dsn, run)
    await report(asking, actor, execution["id"], "sunny")
    end = await end_of(asking, actor, run)

    assert (end.status, end.turns, end.stop_reason) == ("completed", 2, "stop")
    assert await conversation(dsn, run) == [
        ("user", "completed", "Weather?", None),
        ("assistant", "completed", "Let me look.", None),
        ("tool", "completed", "sunny", "in-Rome"),
        ("assistant", "completed", "It is sunny in Rome.", None),
    ]
    assert [offered(request) for request in server.requests] == [["weather"], ["weather"]]
    assert told_to_model(server.requests[1]) == [("user", "Weather?"), ("assistant", "Let me look."), ("tool", "sunny")]
    [call] = server.requests[1].body["messages"][1]["tool_calls"]
    assert (call["id"], call["function"]) == ("in-Rome", {"name": "weather", "arguments": '{"city":"Rome"}'})
    await agrees(dsn, session_id)


async def test_run_waits_for_all_of_its_calls_and_has_their_results_in_the_order_of_the_calls(
    asking: Process, server: ProviderServer, actor: Actor, session_id: SessionId, dsn: str
) -> None:
    server.script(calls_weather("Rome", "Oslo", "Lima"), openai_answer("Sunny, snowy, foggy."))
    run = await ask(asking, actor, session_id, tools=(WEATHER,))
    await waits(dsn, run)
    rome, oslo, lima = (execution["id"] for execution in await executions(dsn, run))

    await report(asking, actor, lima, "foggy")
    await report(asking, actor, rome, error="the station is closed")
    two_of_three = (await row_of(dsn, run))["status"]
    await report(asking, actor, oslo, "snowy")
    end = await end_of(asking, actor, run)

    assert (two_of_three, end.status) == ("requires_action", "completed")
    assert [part[2:] for part in await conversation(dsn, run) if part[0] == "tool"] == [
        ("The call failed: the station is closed", "in-Rome"),
        ("snowy", "in-Oslo"),
        ("foggy", "in-Lima"),
    ]


async def test_results_that_come_at_once_over_many_connections_make_one_next_turn(
    asking: Process, server: ProviderServer, actor: Actor, session_id: SessionId, dsn: str
) -> None:
    cities = [f"City{number}" for number in range(12)]
    server.script(calls_weather(*cities), openai_answer("Mixed."))
    run = await ask(asking, actor, session_id, tools=(WEATHER,))
    await waits(dsn, run)
    asked = await executions(dsn, run)

    async with a_process_asking(dsn, server) as other:
        await asyncio.gather(
            *(
                report((asking, other)[number % 2], actor, execution["id"], f"{execution['call_id']} is fine")
                for number, execution in enumerate(asked)
            )
        )
        end = await end_of(asking, actor, run)

    assert (end.status, end.turns) == ("completed", 2)
    told = [part[2] for part in await conversation(dsn, run) if part[0] == "tool"]
    assert told == [f"in-{city} is fine" for city in cities]
    assert await value(dsn, "SELECT count(*) FROM chat_messages WHERE role = 'tool'") == 12
    assert len(server.requests) == 2
    await agrees(dsn, session_id)


async def test_call_that_a_person_approved_is_executed_and_told(
    asking: Process, server: ProviderServer, actor: Actor, session_id: SessionId, dsn: str
) -> None:
    server.script(openai_tool_call("delete_file", "{}"), openai_answer("Done."))
    run = await ask(asking, actor, session_id, tools=(RISKY,))
    await waits(dsn, run)
    [execution] = await executions(dsn, run)

    await decide(asking, actor, execution["id"], approve=True)
    approved = (await row_of(dsn, run))["status"]
    await report(asking, actor, execution["id"], "deleted")
    end = await end_of(asking, actor, run)

    assert (execution["status"], approved, end.status) == ("awaiting_approval", "requires_action", "completed")
    assert told_to_model(server.requests[1])[-1] == ("tool", "deleted")


async def test_model_is_told_that_and_why_a_person_denied_a_call(
    asking: Process, server: ProviderServer, actor: Actor, session_id: SessionId, dsn: str
) -> None:
    server.script(openai_tool_call("delete_file", "{}"), openai_answer("I leave it."))
    run = await ask(asking, actor, session_id, tools=(RISKY,))
    await waits(dsn, run)
    [execution] = await executions(dsn, run)

    await decide(asking, actor, execution["id"], approve=False, comment="not that one")
    end = await end_of(asking, actor, run)

    assert end.status == "completed"
    denied = "The person did not approve this call; it was not carried out. They say: not that one"
    assert told_to_model(server.requests[1])[-1] == ("tool", denied)


async def test_tool_of_the_server_is_executed_by_the_server(
    asking: Process, server: ProviderServer, actor: Actor, session_id: SessionId, dsn: str
) -> None:
    server.script(
        openai_tool_call("current_time", '{"time_zone": "Nowhere/Town"}', call_id="one"),
        openai_tool_call("current_time", '{"time_zone": "Europe/Lisbon"}', call_id="two"),
        openai_answer("Late."),
    )

    run = await ask(asking, actor, session_id, tools=(CLOCK,))
    end = await end_of(asking, actor, run)

    assert (end.status, end.turns) == ("completed", 3)
    first, second = [part[2] for part in await conversation(dsn, run) if part[0] == "tool"]
    assert first.startswith("The call failed: there is no time zone 'Nowhere/Town'")
    assert second.endswith("Europe/Lisbon)")
    assert [execution["status"] for execution in await executions(dsn, run)] == ["failed", "completed"]


async def test_tool_of_the_server_that_needs_approval_is_executed_after_it(
    asking: Process, server: ProviderServer, actor: Actor, session_id: SessionId, dsn: str
) -> None:
    server.script(openai_tool_call("current_time", "{}"), openai_answer("Late."))
    asked = type(CLOCK)("current_time", requires_approval=True)
    run = await ask(asking, actor, session_id, tools=(asked,))
    await waits(dsn, run)
    [execution] = await executions(dsn, run)

    await decide(asking, actor, execution["id"], approve=True)
    end = await end_of(asking, actor, run)

    assert (execution["status"], end.status) == ("awaiting_approval", "completed")
    assert next(part[2] for part in await conversation(dsn, run) if part[0] == "tool").endswith("UTC)")


@pytest.mark.parametrize(
    ("name", "arguments", "wrong"),
    [
        ("wether", "{}", "there is no tool of this name; there are: weather"),
        ("weather", '{"city": "Ro', "the arguments are no JSON"),
        ("weather", "[]", "the arguments must be a JSON object"),
        ("weather", '{"city": 7}', "$.city: 7 is not of type 'string'"),
        ("weather", '{"city": "' + "x" * 9_000 + '"}', "the arguments have 9,012 characters; at most 8,000 are taken"),
    ],
)
async def test_model_is_told_what_is_wrong_with_a_call_and_mends_it(
    asking: Process, server: ProviderServer, actor: Actor, session_id: SessionId, dsn: str,
    name: str, arguments: str, wrong: str,
) -> None:  # fmt: skip
    server.script(openai_tool_call(name, arguments), calls_weather("Rome"), openai_answer("Sunny."))

    run = await ask(asking, actor, session_id, tools=(WEATHER,))
    await waits(dsn, run)
    failed, mended = await executions(dsn, run)
    await report(asking, actor, mended["id"], "sunny")
    end = await end_of(asking, actor, run)

    assert (failed["status"], mended["status"], end.status) == ("failed", "pending", "completed")
    role, text = told_to_model(server.requests[1])[-1]
    assert role == "tool"
    assert text is not None
    assert wrong in text
    [stored] = await rows(dsn, "SELECT arguments FROM tool_calls WHERE id = $1", failed["tool_call_id"])
    assert stored["arguments"] == arguments[:8_000]


async def test_call_that_cannot_be_executed_asks_nobody_for_approval(
    asking: Process, server: ProviderServer, actor: Actor, session_id: SessionId, dsn: str
) -> None:
    server.script(openai_tool_call("delete_file", "no json"), openai_answer("Oh."))

    run = await ask(asking, actor, session_id, tools=(RISKY,))
    end = await end_of(asking, actor, run)

    [execution] = await executions(dsn, run)
    assert (execution["status"], execution["required_approval"], end.status) == ("failed", False, "completed")


async def test_model_that_calls_tools_without_end_is_stopped(
    asking: Process, server: ProviderServer, actor: Actor, session_id: SessionId, dsn: str
) -> None:
    server.script(openai_tool_call("current_time", "{}"))

    run = await ask(asking, actor, session_id, tools=(CLOCK,))
    end = await end_of(asking, actor, run)

    assert (end.status, end.turns, end.error_code) == ("failed", MOST_TURNS, "LIMIT_EXCEEDED")
    assert end.error is not None
    assert not end.error.retryable
    assert len(server.requests) == MOST_TURNS
    assert len(await executions(dsn, run)) == MOST_TURNS - 1
    await agrees(dsn, session_id)


async def test_what_a_run_used_is_the_sum_of_its_turns(
    asking: Process, server: ProviderServer, actor: Actor, session_id: SessionId, dsn: str
) -> None:
    def used(read: int, wrote: int) -> dict[str, int]:
        return {"prompt_tokens": read, "completion_tokens": wrote, "total_tokens": read + wrote}

    server.script(
        calls_weather("Rome", usage=used(10, 2)), calls_weather("Oslo", usage=used(100, 3)),
        openai_answer("Fine.", usage=used(1000, 5)),
    )  # fmt: skip
    run = await ask(asking, actor, session_id, tools=(WEATHER,))
    for _ in range(2):
        await waits(dsn, run)
        [execution] = [found for found in await executions(dsn, run) if found["status"] == "pending"]
        await report(asking, actor, execution["id"], "fine")
    end = await end_of(asking, actor, run)

    assert end.usage is not None
    assert (end.usage.input, end.usage.output) == (1110, 10)
    [entry] = await ledger_of(dsn, run)
    assert (entry["input_tokens"], entry["output_tokens"], entry["status"]) == (1110, 10, "completed")
    written = "SELECT token_count FROM chat_messages WHERE role = 'assistant' ORDER BY sequence_number"
    assert [row["token_count"] for row in await rows(dsn, written)] == [12, 103, 1005]
    await agrees(dsn, session_id)


async def test_messages_of_all_turns_know_their_run(
    asking: Process, server: ProviderServer, actor: Actor, session_id: SessionId, dsn: str
) -> None:
    server.script(calls_weather("Rome"), openai_answer("Sunny."))
    run = await ask(asking, actor, session_id, tools=(WEATHER,))
    await waits(dsn, run)
    [execution] = await executions(dsn, run)
    await report(asking, actor, execution["id"], "sunny")
    end = await end_of(asking, actor, run)

    loaders = Loaders(asking.database, actor)
    found = await loaders.of(RunOfMessage).load_many([MessageId(run.message_id), MessageId(end.message_id)])
    before = await loaders.of(MessagesOfRun).load(RunId(run.id))

    assert [of_message and of_message.id for of_message in found] == [run.id, run.id]
    assert before == [run.message_id]


async def test_follower_has_each_character_of_each_turn_once(
    asking: Process, server: ProviderServer, actor: Actor, session_id: SessionId, dsn: str
) -> None:
    server.script(calls_weather("Rome", text="I look it up."), openai_answer("It is sunny."))
    run = await ask(asking, actor, session_id, tools=(WEATHER,))
    live: dict[UUID, str] = {}
    at = MessageId(run.message_id)

    async with asyncio.timeout(60), aclosing(asking.completions.follow(actor, RunId(run.id), None)) as events:
        async for event in events:
            match event:
                case Snapshot(text=text, message_id=message_id):
                    at, live[message_id] = message_id, text
                case Delta(text=text):
                    live[at] = live.get(at, "") + text
                case CalledTool():
                    await waits(dsn, run)
                    [execution] = await executions(dsn, run)
                    await report(asking, actor, execution["id"], "sunny")
                case NewTurn(message_id=message_id):
                    at, live[message_id] = message_id, ""
                case Ended():
                    pass

    end = await row_of(dsn, run)
    assert live == {run.message_id: "I look it up.", end["message_id"]: "It is sunny."}
    # From any position, live or after the end, on any process.
    async with a_process_asking(dsn, server) as other:
        for after in range(end["last_seq"]):
            told = await followed(other, actor, run, after)
            turns = [event for event in told if isinstance(event, NewTurn)]
            assert [event.message_id for event in turns] == [end["message_id"]] * (after < end["turn_seq"])
            assert text_of(_behind(told, turns)).endswith("sunny.") or after > end["turn_seq"]
        snapshot = (await followed(other, actor, run))[0]
    assert isinstance(snapshot, Snapshot)
    assert (snapshot.text, snapshot.message_id) == ("It is sunny.", end["message_id"])


def _behind(told: Sequence[object], turns: Sequence[NewTurn]) -> list[Delta]:
    first = turns[0].seq if turns else 0
    return [event for event in told if isinstance(event, Delta) and event.seq > first]
