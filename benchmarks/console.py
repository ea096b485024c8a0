"""The console in a browser: scrolling long lists against short ones, and what its first page loads."""

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from statistics import quantiles
from time import perf_counter

from playwright.async_api import Browser, Page

from app.pages.console import console as built_console
from benchmarks.chromium import find_chromium, launched
from benchmarks.cluster import execute
from benchmarks.conversations import USER, session_global_id
from benchmarks.measure import Bench, Comparison, Side
from benchmarks.server import serving

FEW = 200
"""Sessions of another user, and messages of another session: short lists, for contrast."""

OTHER = "another"
LONG_TASK_MS = 100
WANTED = f"no task over {LONG_TASK_MS} ms"
WHEEL_PIXELS = 700

_OBSERVE = """
window.frames_ms = []; window.tasks_ms = [];
new PerformanceObserver((list) => tasks_ms.push(...list.getEntries().map(({ duration }) => duration)))
  .observe({ type: "longtask" });
(function frame(last) {
  requestAnimationFrame((now) => { frames_ms.push(now - last); frame(now); });
})(performance.now());
"""
_OBSERVED = "[window.frames_ms.splice(0), window.tasks_ms.splice(0)]"
_SCRIPT_BYTES = """performance.getEntriesByType("resource").filter(({ name }) => name.endsWith(".js"))
  .reduce((sum, { encodedBodySize }) => sum + encodedBodySize, 0)"""


@dataclass
class Scrolled:
    """A list that is scrolled on and on, and what the browser did meanwhile."""

    page: Page
    rows: str
    pixels: int
    frames_ms: list[float] = field(default_factory=list)
    tasks_ms: list[float] = field(default_factory=list)

    async def scroll(self, seconds: float) -> float:
        """Frames a second."""
        await self.page.locator(self.rows).first.hover()
        await self.page.evaluate(_OBSERVED)
        started = perf_counter()
        while perf_counter() < started + seconds:
            await self.page.mouse.wheel(0, self.pixels)
        frames, tasks = await self.page.evaluate(_OBSERVED)
        self.frames_ms += frames
        self.tasks_ms += tasks
        return len(frames) / (perf_counter() - started)

    async def told(self) -> str:
        """What was measured, and how far it has come."""
        at = re.search(r"(Session|Message) \d+", await self.page.locator(self.rows).first.inner_text())
        late = quantiles(self.frames_ms, n=100)[98]
        over = sum(task > LONG_TASK_MS for task in self.tasks_ms)
        return (
            f"longest task {max(self.tasks_ms, default=0):.0f} ms, {over} over {LONG_TASK_MS} ms; 99 of 100 frames of "
            f"{len(self.frames_ms):,} within {late:.0f} ms; came to {at[0] if at else 'nothing'}"
        )


async def console(bench: Bench) -> list[Comparison]:
    """What a person feels: frames a second while they scroll, and the longest that the page did nothing else."""
    chromium = find_chromium()
    if chromium is None or not (built_console().folder / "index.html").is_file():
        bench.say("console: passed over, for want of a Chromium on the PATH or of the console, built by `make setup`")
        return []
    sessions, messages = bench.effort.listed_sessions, bench.effort.listed_sessions // 10
    async with bench.cluster.database("console") as dsn, launched(chromium) as browser:
        bench.say(f"console: storing {sessions:,} sessions, and {messages:,} messages in one")
        await _seed(dsn, sessions, messages)
        async with serving(dsn, bench.cluster.folder) as server:
            url = f"http://127.0.0.1:{server.port}"
            return [
                await _list(bench, browser, url, sessions),
                await _conversation(bench, browser, url, messages),
            ]


async def _list(bench: Bench, browser: Browser, url: str, count: int) -> Comparison:
    rows = "[role=list][aria-label=Conversations] [role=listitem]"
    async with _page(browser, f"{url}/chat", USER) as many, _page(browser, f"{url}/chat", OTHER) as few:
        await many.locator(rows).first.wait_for()
        size = await many.evaluate(_SCRIPT_BYTES)
        found = await _compared(
            bench, f"scrolling a list of {count:,} sessions", Scrolled(many, rows, WHEEL_PIXELS),
            Scrolled(few, rows, WHEEL_PIXELS),
        )  # fmt: skip
        found.notes.append(f"scripts of the first page, as they were sent: {size / 1_000:,.0f} KB")
        return found


async def _conversation(bench: Bench, browser: Browser, url: str, count: int) -> Comparison:
    rows = "[role=log] article"
    long, short = (f"{url}/chat/{session_global_id(number)}" for number in (1, 2))
    async with _page(browser, long, USER) as many, _page(browser, short, USER) as few:
        await many.locator(rows).first.wait_for()
        size = await many.evaluate(_SCRIPT_BYTES)
        found = await _compared(
            bench, f"scrolling up a conversation of {count:,} messages", Scrolled(many, rows, -WHEEL_PIXELS),
            Scrolled(few, rows, -WHEEL_PIXELS),
        )  # fmt: skip
        found.notes.append(f"scripts of a page with a conversation, as they were sent: {size / 1_000:,.0f} KB")
        return found


async def _compared(bench: Bench, title: str, ours: Scrolled, short: Scrolled) -> Comparison:
    seconds = bench.effort.seconds
    found = await bench.compare(
        f"{title}: frames a second",
        Side("long", lambda: ours.scroll(seconds)), Side(f"one of {FEW}", lambda: short.scroll(seconds)), WANTED,
    )  # fmt: skip
    found.notes.append(await ours.told())
    return found


@asynccontextmanager
async def _page(browser: Browser, url: str, user: str) -> AsyncIterator[Page]:
    profile = await browser.new_context(viewport={"width": 1280, "height": 800})
    account = json.dumps(json.dumps({"kind": "name", "user": user}))
    await profile.add_init_script(f'localStorage.setItem("colloquy.account", {account});{_OBSERVE}')
    try:
        page = await profile.new_page()
        await page.goto(url)
        yield page
    finally:
        await profile.close()


async def _seed(dsn: str, sessions: int, messages: int) -> None:
    """Sessions of USER, the first a chain of so many messages and the second of FEW; and FEW sessions of OTHER."""
    session = "('0190b6a2-0000-7000-8000-' || lpad(({})::text, 12, '0'))::uuid"
    message = "('0190b6a2-' || lpad(session::text, 4, '0') || '-7000-8000-' || lpad(({})::text, 12, '0'))::uuid"
    await execute(
        dsn,
        "INSERT INTO chat_sessions (tenant_id, id, user_id, title, last_event, created_at, updated_at) "
        f"SELECT 'default', {session.format('number')}, "
        f"CASE WHEN number <= {sessions} THEN '{USER}' ELSE '{OTHER}' END, 'Session ' || number, 1, at, at "
        f"FROM generate_series(1, {sessions + FEW}) AS number, "
        "LATERAL (SELECT timestamptz '2026-01-01 00:00Z' + number * interval '1 minute' AS at) AS moment",
        # A session without any event is one that was erased, and told to be gone.
        "INSERT INTO events (tenant_id, stream_id, seq, kind, actor, owner_id, correlation_id, at) "
        "SELECT tenant_id, id, 1, 'session.created', user_id, user_id, 'bench', created_at FROM chat_sessions",
        "INSERT INTO chat_messages (tenant_id, id, session_id, sequence_number, parent_message_id, role, content, "
        f"token_count) SELECT 'default', {message.format('number')}, {session.format('session')}, number, "
        f"CASE WHEN number > 1 THEN {message.format('number - 1')} END, "
        "CASE WHEN number % 2 = 1 THEN 'user' ELSE 'assistant' END, "
        "'Message ' || number || ' has **words**, `code` and a list:' || repeat(E'\\n- one of its points', number % 5) "
        "|| CASE WHEN number % 8 = 0 THEN E'\\n\\n```python\\nprint(\"' || number || '\")\\n```' ELSE '' END, 60 "
        f"FROM (VALUES (1, {messages}), (2, {FEW})) AS long (session, turns), generate_series(1, turns) AS number",
        "UPDATE chat_sessions SET last_sequence = counted, active_leaf_id = leaf FROM (SELECT session_id, "
        "count(*) AS counted, (array_agg(id ORDER BY sequence_number DESC))[1] AS leaf FROM chat_messages GROUP BY 1) "
        "AS made WHERE id = session_id",
        "VACUUM ANALYZE",
        "CHECKPOINT",
    )
