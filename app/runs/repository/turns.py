"""The statement that begins a run's next turn."""

from sqlalchemy import Integer, Text, Uuid, func, literal, select, update
from sqlalchemy.dialects.postgresql import insert

from app.core.actor import Actor
from app.core.ids import global_id
from app.db.scopes import UnitOfWork
from app.db.statement import Command, param
from app.events.fragments import event, event_parameters
from app.events.values import EventKind
from app.messages.values import MessageId
from app.runs.fragments import FACTS, LINES, LIVE_RUNS, OURS, run_events, run_turns, runs
from app.runs.models import Run
from app.runs.repository.lifecycle import facts_of
from app.runs.values import EntryKind, RunStatus
from app.sessions.fragments import is_session, touched


def _go_on() -> Command[Run]:
    """Have a run write another message; the caller holds the locks of session and run."""
    session = touched(is_session())
    line_seq = select(func.coalesce(func.max(run_events.c.seq), 0) + 1).where(*LINES).scalar_subquery()
    before = runs.alias("before")
    left = {
        "tenant_id": before.c.tenant_id, "message_id": before.c.message_id, "run_id": before.c.id,
        "first_seq": before.c.turn_seq + 1, "last_seq": line_seq,
    }  # fmt: skip
    turn = (
        insert(run_turns)
        .from_select(
            list(left),
            select(*left.values()).where(
                before.c.tenant_id == param("tenant_id"), before.c.id == param("run_id", Uuid)
            ),
        )
        .cte("turn")
    )
    gone_on = (
        update(runs)
        .where(*OURS, runs.c.session_id == session.c.id, LIVE_RUNS)
        .values(
            status=RunStatus.QUEUED.value,
            message_id=param("message_id", Uuid),
            turns=runs.c.turns + literal(1, Integer),
            turn_seq=line_seq,
            turn_generation=runs.c.generation,
        )
        .returning(*FACTS)
        .cte("run")
    )
    line = {
        "tenant_id": gone_on.c.tenant_id, "run_id": gone_on.c.id, "seq": gone_on.c.turn_seq,
        "kind": literal(EntryKind.TURN.value, Text),
        "payload": func.jsonb_build_object(literal("messageId", Text), gone_on.c.message_id),
    }  # fmt: skip
    told = insert(run_events).from_select(list(line), select(*line.values())).cte("line")
    written = event(EventKind.RUN_CONTINUED, stream=session)
    return Command(Run, select(*gone_on.c).add_cte(turn, told, written))


_GO_ON = _go_on()


async def go_on(uow: UnitOfWork, actor: Actor, run: Run, message_id: MessageId) -> Run | None:
    """Begin the next turn of a run, in which it writes `message_id`: its row, the line that says so, and the event.

    None when it has ended. The session's row and the run must be locked.
    """
    uow.announce(run.session_id)
    written = global_id("ChatMessage", message_id)
    return await uow.run_one(
        _GO_ON,
        run_id=run.id,
        session_id=run.session_id,
        message_id=message_id,
        **actor.as_owner(),
        **event_parameters(actor, facts_of(run, {"turn": run.turns + 1, "messageId": written})),
    )
