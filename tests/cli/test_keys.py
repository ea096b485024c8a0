"""Keys on the command line: the first one of a new installation, and the end of any."""

import asyncio

from app.core.actor import CorrelationId, Role
from app.identity.keyring import Keyring
from tests.cli.commands import colloquy
from tests.runs.conftest import a_process

PEPPER = "p" * 32
PATIENCE_SECONDS = 20.0
CORRELATION = CorrelationId("of-the-request")


async def test_key_is_made_listed_and_revoked_while_a_server_runs(dsn: str) -> None:
    environment = {"DATABASE_URL": dsn, "COLLOQUY_API_KEY_PEPPER": PEPPER}
    made = await colloquy(
        "keys", "create", "--user", "alice", "--tenant", "acme", "--scope", "admin", "--name", "first\x1b[2J",
        "--role", "member", "--expires", "2126-01-01", **environment,
    )  # fmt: skip
    text = made.stdout.strip()
    async with a_process(dsn, api_key_pepper=PEPPER) as process:
        keyring: Keyring = process.services[Keyring]
        actor = await keyring.admit(text, CORRELATION)
        withdrawn = asyncio.create_task(keyring.withdrawn(actor))
        listed = await colloquy("keys", "list", "--tenant", "acme", **environment)
        key_id = listed.stdout.split()[0]
        elsewhere = await colloquy("keys", "revoke", key_id, **environment)
        revoked = await colloquy("keys", "revoke", key_id, "--tenant", "acme", **environment)
        async with asyncio.timeout(PATIENCE_SECONDS):
            await withdrawn
    after = await colloquy("keys", "list", "--tenant", "acme", **environment)

    assert (made.exit_code, listed.exit_code, revoked.exit_code) == (0, 0, 0)
    assert made.stdout.count("\n") == 1
    assert text not in made.stderr + listed.output + revoked.output
    assert key_id in made.stderr
    assert (actor.user_id, actor.tenant_id) == ("alice", "acme")
    assert actor.roles == {Role.MEMBER, Role.ADMIN}
    assert listed.stdout.rstrip("\n").endswith("expires 2126-01-01T00:00:00+00:00  first?[2J")
    assert (elsewhere.exit_code, elsewhere.stdout) == (2, "")
    assert elsewhere.stderr.splitlines()[-1] == "colloquy: there is no such API key"
    assert (revoked.stdout, revoked.stderr.splitlines()[-1]) == ("", "the key is revoked")
    assert " by system  first" in after.stdout


async def test_what_cannot_be_a_key_is_told_in_one_line(dsn: str) -> None:
    valid = {"--user": "alice", "--scope": "write", "--name": "a key"}
    wrong = {"--expires": ("tomorrow", "2001-01-01"), "--role": ("admin",), "--user": (" ",), "--name": ("",)}

    for flag, values in wrong.items():
        for value in values:
            flags = [part for pair in {**valid, flag: value}.items() for part in pair]
            answer = await colloquy("keys", "create", *flags, DATABASE_URL=dsn)

            assert (answer.exit_code, answer.stdout) == (2, ""), flag
            assert answer.stderr.splitlines()[-1].startswith("colloquy: "), flag
    short = await colloquy("keys", "list", DATABASE_URL=dsn, COLLOQUY_API_KEY_PEPPER="short")
    assert (short.exit_code, short.stderr) == (2, "colloquy: COLLOQUY_API_KEY_PEPPER: must be at least 32 bytes\n")
