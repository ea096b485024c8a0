"""That all sides give the same answers, before anything is said about how fast they do."""

from collections.abc import Sequence

import httpx2

from benchmarks.conversations import USER
from benchmarks.peers.answers import Disagreement, Json, difference, facts
from benchmarks.peers.questions import Question
from benchmarks.peers.sides import Side


async def require_agreement(question: Question, sides: Sequence[Side]) -> None:
    """Ask every side in every way it is asked; Disagreement where one says something else than the first."""
    first, *others = sides
    said = await _said(first, question)
    for other in others:
        for number, (one, another) in enumerate(zip(said, await _said(other, question), strict=True), 1):
            if found := difference(one, another):
                raise Disagreement(f"{question.name} {number}, {first.name} and {other.name}: {found}")


async def _said(side: Side, question: Question) -> list[Json]:
    headers = {"content-type": "application/json", "x-colloquy-user": USER}
    async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{side.server.port}", timeout=30) as client:
        answers = [await client.post("/graphql", content=body, headers=headers) for body in side.ask(question)]
    return [facts(answer.json()) for answer in answers]
