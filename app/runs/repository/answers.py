"""Statements that write the logs of runs."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    Integer,
    Text,
    Uuid,
    func,
    literal,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import JSONB, insert

from app.db.scopes import ReadScope, UnitOfWork
from app.db.statement import Command, Query, param
from app.runs.fragments import LINES, TURN_MESSAGE, answer_text, is_end, run_events, runs
from app.runs.values import Claim, EntryKind, RunEntry, RunRef, RunStatus


class Written(NamedTuple):
    """What of a run's answer is committed."""

    message_id: UUID | None
    """The message that it writes in the turn it is at; None where there is no such run."""
    text: str
    """What that message says by now."""
    last_piece: int
    """The number of its last line that is not its end."""
    last_seq: int
    """The number of its last line: that of its end, where it has ended."""


_WRITTEN = Query(
    Written,
    select(
        TURN_MESSAGE.label("message_id"),
        answer_text().label("text"),
        func.coalesce(func.max(run_events.c.seq).filter(~is_end()), 0).label("last_piece"),
        func.coalesce(func.max(run_events.c.seq), 0).label("last_seq"),
    ).where(*LINES),
)


def _append(again: bool) -> Command[UUID]:
    given = (
        func.unnest(
            param("tenants", ARRAY(Text)), param("runs", ARRAY(Uuid)), param("generations", ARRAY(Integer)),
            param("seqs", ARRAY(Integer)), param("texts", ARRAY(Text)),
        )
        .table_valued("tenant_id", "run_id", "generation", "seq", "text")
        .render_derived(name="given")
    )  # fmt: skip
    # The fence. Shared, so that whoever claims or ends the run waits for this statement, and this one sees what they
    # did. A lateral join with a limit can only be run as a loop over the pieces, looking each up by its key: a join
    # that was planned for one piece would meet hundreds with all runs. It locks rows in the order of the pieces.
    held = (
        select(literal(1).label("held"))
        .where(
            runs.c.tenant_id == given.c.tenant_id,
            runs.c.id == given.c.run_id,
            runs.c.generation == given.c.generation,
            # As in LIVE_RUNS: found by its key.
            (runs.c.status == literal(RunStatus.RUNNING.value, Text)).is_(true()),
        )
        .limit(literal(1, Integer))
        .with_for_update(read=True)
        .correlate(given)
        .lateral("held")
    )
    fenced = (
        select(given.c.tenant_id, given.c.run_id, given.c.seq, given.c.text)
        .select_from(given.join(held, true()))
        .cte("fenced")
    )
    line = {
        "tenant_id": fenced.c.tenant_id, "run_id": fenced.c.run_id, "seq": fenced.c.seq,
        "kind": literal(EntryKind.DELTA.value, Text),
        "payload": func.jsonb_build_object(literal("text", Text), fenced.c.text),
    }  # fmt: skip
    stored = insert(run_events).from_select(list(line), select(*line.values()))
    if again:
        # Because its answer was lost: a piece may be there, and the number says that it is the same one. To look for it
        # takes half as long again.
        stored = stored.on_conflict_do_nothing()
    return Command(UUID, select(fenced.c.run_id).add_cte(stored.cte("stored")))


def _call_tool() -> Command[int]:
    line = {
        "tenant_id": param("tenant_id", Text), "run_id": param("run_id", Uuid), "seq": param("seq", Integer),
        "kind": literal(EntryKind.TOOL_CALL.value, Text), "payload": param("payload", JSONB),
    }  # fmt: skip
    return Command(int, insert(run_events).from_select(list(line), select(*line.values())).returning(run_events.c.seq))


_APPEND = {again: _append(again) for again in (False, True)}
_CALL_TOOL = _call_tool()


async def written(scope: ReadScope, run: RunRef) -> Written:
    """What is committed of a run's answer."""
    found = await scope.first(_WRITTEN, tenant_id=run.tenant_id, run_id=run.id)
    return found or Written(None, "", 0, 0)


async def append(uow: UnitOfWork, pieces: Sequence[tuple[Claim, RunEntry]], *, again: bool) -> set[UUID]:
    """Store one piece each of many answers; the runs whose claim still holds. The others' pieces are not stored.

    `again` where it is not known what became of some of them: else one that is there is a Duplicate.
    """
    # In the order of ids, in which the rows are locked: two processes cannot wait for each other.
    pieces = sorted(pieces, key=lambda piece: piece[0].run.id)
    stored = await uow.run(
        _APPEND[again],
        tenants=[claim.run.tenant_id for claim, _ in pieces],
        runs=[claim.run.id for claim, _ in pieces],
        generations=[claim.generation for claim, _ in pieces],
        seqs=[entry.seq for _, entry in pieces],
        texts=[entry.payload["text"] for _, entry in pieces],
    )
    return set(stored)


async def call_tool(uow: UnitOfWork, claim: Claim, line: RunEntry) -> None:
    """Store the line of a tool call. The run must be locked, and the claim hold."""
    await uow.run(_CALL_TOOL, tenant_id=claim.run.tenant_id, run_id=claim.run.id, seq=line.seq, payload=line.payload)
