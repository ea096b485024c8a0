"""The chat as a command: one message and its answer, or a prompt for many."""

import asyncio
import signal
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar

from app.chat.api import Api
from app.chat.conversation import Conversation, NothingYet, Stopped
from app.chat.errors import Away, ChatProblem, NobodyThere, Refused
from app.chat.screen import Screen
from app.chat.values import Ended, Ending, Place, one_line

T = TypeVar("T")

DONE = 0
NOT_ANSWERED = 1
"""Exit code when something was asked and the whole answer did not come."""
INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells have it."""

TURNS_SHOWN = 6
"""Of a session that is gone on with: what fits on a screen beside the prompt."""

HELP = """\
/retry      ask again: what was not finished anew, a finished answer once more
/model x:y  ask the model x:y from now on; without a name, list the models
/quit       end, as Ctrl-D does
Ctrl-C stops an answer, and ends the chat at the prompt. A line that begins with a space is always a message."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line says."""

    place: Place
    session_id: str | None = None
    model: str | None = None
    message: str | None = None
    """One message to send; None for a prompt."""


def chat(asked: Asked, screen: Screen | None = None) -> int:
    """The exit code. ChatProblem where nothing could be asked at all."""
    screen = screen or Screen()
    # One loop for all turns, which stands still while the person writes.
    with asyncio.Runner() as runner:
        api = runner.run(_opened(asked.place))
        try:
            conversation = Conversation(api, screen, asked.model)
            if asked.message is not None:
                return _one(runner, conversation, asked, asked.message)
            return _Prompt(runner, conversation, asked).serve()
        except KeyboardInterrupt:
            # The process is about to end: pressed once more, it would break into that with a stack.
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            screen.end_line()
            return INTERRUPTED
        finally:
            runner.run(api.__aexit__())


async def _opened(place: Place) -> Api:
    return await Api(place).__aenter__()


def _one(runner: asyncio.Runner, conversation: Conversation, asked: Asked, message: str) -> int:
    """Send one message and show its answer."""
    screen, conversation.session_id = conversation.screen, asked.session_id
    try:
        ended = runner.run(conversation.say(message))
    except Stopped:
        return INTERRUPTED
    except (Away, Refused) as problem:
        if conversation.last is None:
            raise
        screen.note(f"colloquy: {problem}")
        return NOT_ANSWERED
    if ended.ending is not Ending.COMPLETED:
        screen.note(f"colloquy: {_told(ended)}")
    _farewell(conversation)
    if ended.ending is Ending.COMPLETED:
        return DONE
    return INTERRUPTED if conversation.called_off else NOT_ANSWERED


def _farewell(conversation: Conversation) -> None:
    """Say how the session is found again."""
    if conversation.session_id is not None and conversation.screen.is_watched:
        conversation.screen.note(f"(go on with --session {conversation.session_id})")


def _told(ended: Ended) -> str:
    """How an answer ended that is not whole."""
    match ended.ending:
        case Ending.CANCELLED:
            return "cancelled; what was written is kept"
        case Ending.INTERRUPTED:
            return f"interrupted: {ended.reason or 'the server stopped'}; what was written is kept"
        case _:
            return f"failed: {ended.reason or 'the server does not say why'}"


class _Prompt:
    """Reads lines and answers them."""

    def __init__(self, runner: asyncio.Runner, conversation: Conversation, asked: Asked) -> None:
        self._runner = runner
        self._conversation = conversation
        self._screen = conversation.screen
        self._asked = asked

    def serve(self) -> int:
        """Return when the person leaves."""
        # Line editing and history at the prompt, where Python was built with it.
        with suppress(ImportError):
            import readline  # noqa: F401
        self._greet()
        try:
            while self._take(self._screen.ask()):
                pass
        except EOFError:
            if self._screen.is_watched:
                self._screen.note("")
        _farewell(self._conversation)
        return DONE

    def _greet(self) -> None:
        api, session_id = self._conversation.api, self._asked.session_id
        welcome = self._runner.run(api.welcome())
        if self._screen.is_watched:
            model = self._conversation.model or welcome.models[0]
            who = one_line(f"{self._asked.place.url} as {welcome.user}, {model}")
            self._screen.note(f"{who}. /help lists what can be done, Ctrl-C stops an answer, Ctrl-D ends.")
        if session_id is not None:
            earlier = self._runner.run(api.session(session_id, TURNS_SHOWN))
            self._conversation.go_on_with(session_id, earlier)
            # The answer that is being written comes whole below.
            turns = earlier.turns if earlier.ending or not earlier.last else earlier.turns[:-1]
            for turn in turns:
                self._screen.turn(turn)
            self._answer(self._conversation.finish())

    def _take(self, line: str) -> bool:
        """Do what a line says; whether there may be another."""
        if not line.strip():
            return True
        if not line.startswith("/"):
            self._answer(self._conversation.say(line))
            return True
        command, _, rest = line.strip().partition(" ")
        match command:
            case "/quit" | "/exit":
                return False
            case "/help":
                self._screen.note(HELP)
            case "/retry":
                self._answer(self._conversation.again())
            case "/model":
                self._model(rest.strip())
            case _:
                self._screen.note(f"there is no {one_line(command)}; /help lists what there is")
        return True

    def _model(self, name: str) -> None:
        if name:
            self._conversation.model = name
            return
        try:
            models = self._runner.run(self._conversation.api.welcome()).models
        except (Away, Refused, NobodyThere) as problem:
            self._screen.note(str(problem))
            return
        for model in models:
            self._screen.note(one_line(model))

    def _answer(self, turn: Coroutine[Any, Any, Ended | None]) -> None:
        """Show an answer, and what was wrong with it."""
        try:
            ended = self._runner.run(turn)
        except Stopped:
            self._screen.note("(no longer waiting for it)")
        except NothingYet as problem:
            self._screen.note(str(problem))
        except ChatProblem as problem:
            self._screen.note(str(problem))
        else:
            if ended is not None and ended.ending is not Ending.COMPLETED:
                again = "" if ended.ending is Ending.CANCELLED else "; /retry asks again"
                self._screen.note(f"({_told(ended)}{again})")
