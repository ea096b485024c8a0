"""The server as its clients see it: GraphQL over HTTP, and answers as streams that survive their connections."""

import asyncio
import json
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import aclosing
from time import monotonic
from typing import Any, Self
from uuid import uuid4

import httpx2

from app.chat import operations
from app.chat.errors import Away, NobodyThere, NotAServer, Refused
from app.chat.values import (
    Appended,
    Begun,
    CalledTool,
    Earlier,
    Ended,
    Ending,
    NextTurn,
    Place,
    Replaced,
    Told,
    Turn,
    Waiting,
    Welcome,
    one_line,
)

PATIENCE_SECONDS = 60.0
"""How long a server may be away that was there before: it is restarted in less."""
FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 2.0
SILENCE_SECONDS = 30.0
"""A stream has a sign of life every twelve seconds; one without for so long is dead, whatever TCP says."""
CONNECT_SECONDS = 5.0
LARGEST_EVENT_BYTES = 16 * 1024 * 1024
"""An answer has up to 1,000,000 characters, and a snapshot is all of it at once; the library's limit is one MiB."""
USER_HEADER = "X-Colloquy-User"


class Api:
    """One server, asked as one user."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._was_there = False
        self._http = httpx2.AsyncClient(
            headers=_shown(place),
            timeout=httpx2.Timeout(SILENCE_SECONDS, connect=CONNECT_SECONDS),
            trust_env=not place.is_near,
        )

    async def __aenter__(self) -> Self:
        await self._http.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def welcome(self) -> Welcome:
        """Who we are to the server, and which models it has."""
        found = await self._ask(operations.WELCOME)
        viewer, models = found["viewer"], found["models"]
        return Welcome(f"{viewer['userId']}@{viewer['tenantId']}", tuple(m["id"] for m in models if m["configured"]))

    async def session(self, session_id: str, last: int) -> Earlier:
        """A session with its last turns; Refused where there is none for us."""
        found = (await self._ask(operations.SESSION, sessionId=session_id, last=last))["session"]
        if found is None:
            raise Refused("there is no such session, or it is not yours", "pass an id as a chat named it at its end")
        turns = tuple(Turn(m["role"], m["content"], m["status"]) for m in found["messages"]["nodes"])
        runs = found["runs"]["nodes"]
        last_run = Begun(runs[0]["id"], runs[0]["message"]["id"], session_id) if runs and runs[0]["message"] else None
        ending = Ending.__members__.get(runs[0]["status"]) if last_run else None
        return Earlier(found["title"], turns, last_run, ending)

    async def send(self, content: str, session_id: str | None, model: str | None) -> Begun:
        """Say something; what else is being answered in the session comes first."""
        wanted = {"content": content, "sessionId": session_id, "model": model, "onBusy": "ENQUEUE"}
        return _begun(await self._change("sendMessage", operations.SEND, wanted))

    async def retry(self, begun: Begun) -> Begun:
        """Ask again what a run did not finish."""
        return _begun(await self._change("retryRun", operations.RETRY, {"runId": begun.run_id}))

    async def regenerate(self, begun: Begun, model: str | None) -> Begun:
        """Have another answer beside the one that there is."""
        wanted = {"messageId": begun.message_id, "model": model, "onBusy": "ENQUEUE"}
        return _begun(await self._change("regenerateMessage", operations.REGENERATE, wanted))

    async def cancel(self, begun: Begun) -> None:
        """End a run. One that has ended by itself meanwhile is as well."""
        try:
            await self._change("cancelRun", operations.CANCEL, {"runId": begun.run_id})
        except Refused:
            return

    async def decide(self, execution_id: str, *, approve: bool) -> None:
        """Approve or deny a call of a tool. Refused where somebody else was faster."""
        await self._change(
            "decideToolExecution", operations.DECIDE, {"toolExecutionId": execution_id, "approve": approve}
        )

    async def follow(self, begun: Begun) -> AsyncGenerator[Told, None]:
        """The answer from its beginning to its end, each character once, over as many connections as it takes.

        Away when the server does not come back, Refused when the run is gone.
        """
        shown = Shown()
        pauses, heard = _pauses(), monotonic()
        while True:
            try:
                async with aclosing(self._events(begun.run_id, shown.seq)) as events:
                    async for event in events:
                        pauses, heard = _pauses(), monotonic()
                        for told in shown.learn(event):
                            yield told
                            if isinstance(told, Ended):
                                return
            except httpx2.TransportError:
                pass
            except Refused as refusal:
                if not refusal.retryable:
                    raise
            # A stream that only breaks off is one of a server that stops: it comes back, or another in its place.
            if monotonic() - heard > PATIENCE_SECONDS:
                raise Away(self._place.url, PATIENCE_SECONDS)
            pause = next(pauses)
            if pause == 4 * FIRST_PAUSE_SECONDS:
                yield Waiting()
            await asyncio.sleep(pause)

    async def _events(self, run_id: str, after: int | None) -> AsyncGenerator[dict[str, Any], None]:
        """The events of one connection."""
        async with self._http.sse(
            self._place.endpoint,
            method="POST",
            content=_body(operations.FOLLOW, {"runId": run_id, "after": after}),
            headers={"Content-Type": "application/json"},
            max_event_size=LARGEST_EVENT_BYTES,
        ) as stream:
            if stream.response.status_code >= 400:
                # Not read as events: what is wrong stands in it, such as a token that has expired meanwhile.
                if (answer := _answer_in(await stream.response.aread())) is not None:
                    _data(answer)
                raise Refused(f"status {stream.response.status_code}", retryable=True)
            async for sent in stream:
                if sent.event == "next":
                    yield _data(json.loads(sent.data))["messageCompletion"]

    async def _change(self, field: str, operation: str, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """The payload of a mutation that was done: once, however often it had to be sent."""
        wanted = {**wanted, "clientKey": str(uuid4())}
        payload: dict[str, Any] = (await self._ask(operation, input=wanted))[field]
        if not payload["success"]:
            raise _refused(payload["error"])
        return payload

    async def _ask(self, operation: str, **variables: Any) -> dict[str, Any]:
        """The data of an operation; asked again while a server is away that was there before."""
        pauses, begun = _pauses(), monotonic()
        while True:
            try:
                return await self._once(operation, variables)
            except httpx2.TransportError:
                if not self._was_there:
                    raise NobodyThere(self._place.url) from None
            except Refused as refusal:
                if not refusal.retryable:
                    raise
            if monotonic() - begun > PATIENCE_SECONDS:
                raise Away(self._place.url, PATIENCE_SECONDS)
            await asyncio.sleep(next(pauses))

    async def _once(self, operation: str, variables: Mapping[str, Any]) -> dict[str, Any]:
        response = await self._http.post(
            self._place.endpoint,
            content=_body(operation, variables),
            headers={"Content-Type": "application/json", "Accept": "application/json"},
        )
        answer = _answer_in(response.content)
        if answer is None:
            if self._was_there and response.status_code >= 500:
                raise Refused(f"status {response.status_code}", retryable=True)
            raise NotAServer(self._place.url, f"status {response.status_code}")
        self._was_there = True
        return _data(answer)


class Shown:
    """What was told of an answer, and up to which position."""

    def __init__(self) -> None:
        self.seq: int | None = None
        self._text = ""
        self._asked: set[str] = set()
        """Executions that the person was asked about."""
        self._message: str | None = None
        """Whose text it is; None while that is not known."""

    def learn(self, event: Mapping[str, Any]) -> Iterator[Told]:
        """What is new in an event."""
        self.seq = event["seq"]
        match event["__typename"]:
            case "CompletionSnapshot":
                message = event["message"]
                if self._message not in (None, _id_of(message)):
                    yield NextTurn()
                    self._text = ""
                self._message = _id_of(message)
                yield from self._all(event["text"])
                for call in message["toolCalls"] if message is not None else ():
                    yield from self._call(call, call["execution"], told=True)
            case "CompletionDelta":
                self._text += event["text"]
                yield Appended(event["text"])
            case "CompletionToolCall":
                if (call := event["toolCall"]) is not None:
                    yield from self._call(call, event["toolExecution"], told=False)
            case "CompletionTurn":
                self._begin(event["message"])
                yield NextTurn()
            case _:
                run = event["run"]
                error = run["error"]
                yield Ended(Ending(run["status"]), one_line(error["message"], error["hint"]) if error else None)

    def _call(self, call: Mapping[str, Any], execution: Mapping[str, Any] | None, *, told: bool) -> Iterator[Told]:
        """A call; one that stands behind a snapshot is `told` again only where somebody is asked about it."""
        awaiting = execution["id"] if execution is not None and execution["status"] == "AWAITING_APPROVAL" else None
        if awaiting in self._asked:
            return
        if awaiting is not None:
            self._asked.add(awaiting)
        if awaiting is not None or not told:
            yield CalledTool(one_line(call["name"]), one_line(call["arguments"]), awaiting)

    def _begin(self, message: Mapping[str, Any] | None) -> None:
        self._message, self._text = _id_of(message), ""

    def _all(self, text: str) -> Iterator[Told]:
        """All of the answer so far: what of it was not told yet."""
        known, self._text = self._text, text
        if not text.startswith(known):
            yield Replaced(text)
        elif len(text) > len(known):
            yield Appended(text[len(known) :])


def _id_of(message: Mapping[str, Any] | None) -> str | None:
    return None if message is None else message["id"]


def _pauses() -> Iterator[float]:
    pause = FIRST_PAUSE_SECONDS
    while True:
        yield pause
        pause = min(2 * pause, LONGEST_PAUSE_SECONDS)


def _body(operation: str, variables: Mapping[str, Any]) -> bytes:
    # Escaped to ASCII: what a terminal hands over may hold halves of characters, which the server is to refuse by name.
    return json.dumps({"query": operation, "variables": variables}).encode()


def _shown(place: Place) -> dict[str, str]:
    """The headers by which we come in."""
    user = {USER_HEADER: place.user} if place.user else {}
    return user if place.token is None else {**user, "Authorization": f"Bearer {place.token}"}


def _answer_in(body: bytes) -> dict[str, Any] | None:
    """An answer of GraphQL; None where it is none."""
    try:
        answer = json.loads(body)
    except ValueError:
        return None
    return answer if isinstance(answer, dict) and answer.keys() & {"data", "errors"} else None


def _data(answer: dict[str, Any]) -> dict[str, Any]:
    errors, data = answer.get("errors"), answer.get("data")
    if errors or not data:
        first: dict[str, Any] = errors[0] if errors else {"message": "the answer is empty"}
        raise _refused({"message": first["message"], **first.get("extensions", {})})
    found: dict[str, Any] = data
    return found


def _refused(error: Mapping[str, Any]) -> Refused:
    return Refused(error["message"], error.get("hint"), retryable=bool(error.get("retryable")))


def _begun(payload: Mapping[str, Any]) -> Begun:
    run = payload["run"]
    return Begun(run["id"], run["message"]["id"], run["session"]["id"])
