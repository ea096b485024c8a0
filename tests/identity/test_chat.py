"""`colloquy chat` with a server that wants a token: it is shown, and seen by nobody else."""

from pathlib import Path

from tests.chat.terminal import Printed, piped
from tests.identity.credentials import SECRET, token
from tests.processes import serving


async def test_the_chat_shows_its_token_and_tells_it_nobody(dsn: str, tmp_path: Path) -> None:
    guarded = {"COLLOQUY_AUTH": "on", "COLLOQUY_JWT_SECRET": SECRET, "COLLOQUY_LOG_LEVEL": "debug"}
    async with serving(tmp_path, DATABASE_URL=dsn, **guarded, COLLOQUY_LOCAL_WORDS_PER_SECOND="0") as served:
        said = ("--url", await served.address(), "--model", "local:echo", "hello")
        shown, old = token(), token(exp=1)

        answers = [await piped(*said, **({"COLLOQUY_TOKEN": text} if text else {})) for text in (shown, old, "", "a b")]

        log = served.said
    assert answers[0] == Printed(0, "hello\n", "")
    assert [(answer.exit_code, answer.stdout) for answer in answers[1:]] == [(2, "")] * 3
    assert answers[1].stderr == "colloquy: the token has expired; come with a new token\n"
    assert answers[2].stderr.startswith("colloquy: nobody is named; ")
    assert answers[3].stderr == "colloquy: COLLOQUY_TOKEN must be visible ASCII characters without spaces\n"
    for secret in (SECRET, shown, old):
        assert secret not in log
