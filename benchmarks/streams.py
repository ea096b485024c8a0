"""Follow many answers at once, against a bare WebSocket server that sends the same events; wait for a first token."""

from dataclasses import replace
from statistics import median

from benchmarks.bare_server import bare_server
from benchmarks.conversations import USER
from benchmarks.machine import cpu_seconds
from benchmarks.measure import Bench, Comparison, Side
from benchmarks.server import Server, serving
from benchmarks.stream_client import Flow, StreamTask, follow

EVENTS_PER_SECOND = 20
"""Of each stream: what a person sees as a steady flow, and the pace of many hosted models."""


WARM_STREAMS = 25

LONGEST_GAP_MS = 100
"""What a reader does not notice between two pieces."""


async def streams(bench: Bench) -> list[Comparison]:
    """As many streams as one process shall carry, each on a socket of its own, followed by a process of its own."""
    count, seconds = bench.effort.streams, max(bench.effort.seconds, 1.0)
    flows: dict[str, list[Flow]] = {"ours": [], "bare": []}
    database_cpu: list[float] = []
    async with (
        bench.cluster.database("streams") as dsn,
        serving(dsn, bench.cluster.folder, COLLOQUY_LOCAL_WORDS_PER_SECOND=str(EVENTS_PER_SECOND)) as server,
        bare_server() as bare,
    ):
        task = StreamTask(server.port, USER, count, EVENTS_PER_SECOND, seconds)

        async def events_per_cpu_second(side: str, of: Server) -> float:
            before, database_before = cpu_seconds(of.pid), bench.cluster.cpu_seconds()
            flow = await follow(task.at(of.port, bare=side == "bare"))
            flows[side].append(flow)
            if side == "ours":
                database_cpu.append((bench.cluster.cpu_seconds() - database_before) / flow.events)
            return flow.events / (cpu_seconds(of.pid) - before)

        # The first streams of a process meet cold connections and caches.
        await follow(replace(task, streams=min(count, WARM_STREAMS)).shorter())
        carried = await bench.compare(
            f"{count} streams at {EVENTS_PER_SECOND} events/s: events per second of CPU",
            Side("one process of ours", lambda: events_per_cpu_second("ours", server)),
            Side("bare WebSocket", lambda: events_per_cpu_second("bare", bare)),
            "none; p99 gap below 100 ms with 200 streams",
        )
        most = await _most_carried(bench, task, server, bare)
        waited = await _first_token(bench, server)
    carried.notes += [
        _told("ours", flows["ours"], carried.our_rates),
        _told("bare", flows["bare"], carried.anchor_rates),
    ]
    carried.notes.append(
        f"PostgreSQL took {1e6 * median(database_cpu):.0f} µs of CPU per event; "
        f"the client {median(flow.cpu for flow in flows['ours']):.0%} of a core"
    )
    return [carried, most, waited]


async def _most_carried(bench: Bench, task: StreamTask, server: Server, bare: Server) -> Comparison:
    """How many streams each carries with nearly all gaps below the longest that is wanted; one round."""
    found = Comparison(
        f"streams at {EVENTS_PER_SECOND} events/s with p99 gap below {LONGEST_GAP_MS} ms", "one process of ours",
        "bare WebSocket", "200",
    )  # fmt: skip
    for of, rates in ((server, found.our_rates), (bare, found.anchor_rates)):
        carried = 1
        for times in (0.5, 1.0, 1.5, 2.0):
            count = int(task.streams * times)
            bench.say(f"{found.title}: {count} on {found.ours if of is server else found.anchor}")
            try:
                flow = await follow(replace(task, streams=count).at(of.port, bare=of is bare))
            except RuntimeError:
                # More than it takes: it refused some.
                break
            if flow.gap_p99_ms >= LONGEST_GAP_MS:
                break
            carried = count
        rates.append(carried)
    return found


def _told(name: str, seen: list[Flow], rates: list[float]) -> str:
    return (
        f"{name}: gaps p50 {median(flow.gap_p50_ms for flow in seen):.0f} ms, "
        f"p99 {median(flow.gap_p99_ms for flow in seen):.0f} ms (worst round "
        f"{max(flow.gap_p99_ms for flow in seen):.0f} ms), longest {max(flow.gap_max_ms for flow in seen):.0f} ms; "
        f"{1e6 / median(rates):.0f} µs of CPU per event"
    )


async def _first_token(bench: Bench, server: Server) -> Comparison:
    """One person asks, and waits for the first word on a socket that is open."""
    flows: list[Flow] = []
    task = StreamTask(server.port, USER, 1, EVENTS_PER_SECOND, bench.effort.seconds, one_by_one=True)

    async def answers() -> float:
        flows.append(await follow(task))
        return 1000 / flows[-1].first_p50_ms

    async def stored() -> float:
        return 1000 / flows[-1].stored_p50_ms

    found = await bench.compare(
        "sendMessage to the first token, one client", Side("first tokens", answers), Side("persistUserMessage", stored),
        "first token under 30 ms",
    )  # fmt: skip
    found.notes.append(
        f"first token p50 {median(flow.first_p50_ms for flow in flows):.1f} ms, "
        f"p99 {median(flow.first_p99_ms for flow in flows):.1f} ms, of which the payload of sendMessage took "
        f"{median(flow.sent_p50_ms for flow in flows):.1f} ms"
    )
    return found
