"""The first token of docs/identity.md, made as the page makes it, lets in."""

import asyncio
import re
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

from app.core.settings import load_settings
from app.identity.service import door
from app.identity.values import USER_ROLES
from tests.identity.test_doors import ONE
from tests.processes import PATIENCE_SECONDS

PAGE = Path(__file__).parents[2] / "docs" / "identity.md"


async def test_the_token_of_the_page_lets_in() -> None:
    page = PAGE.read_text()
    [secret] = re.findall(r"^COLLOQUY_JWT_SECRET=(.+)$", page, re.MULTILINE)
    [program] = re.findall(r"^\.venv/bin/python -c '(.+?)'$", page, re.MULTILINE | re.DOTALL)

    made = await asyncio.create_subprocess_exec(sys.executable, "-c", program, stdout=PIPE)
    shown, _ = await asyncio.wait_for(made.communicate(), PATIENCE_SECONDS)

    async with door(load_settings(auth="on", jwt_secret=secret)) as opened:
        actor = await opened.actor({"authorization": f"Bearer {shown.decode().strip()}"}, ONE)
    assert (actor.user_id, actor.tenant_id, actor.roles) == ("alice", "alice", USER_ROLES)
