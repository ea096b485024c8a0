"""Signing in and out where authentication is on and off, and the keys by which programs come in."""

import json
import re
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
import pytest
from playwright.async_api import Page, expect
from pydantic import SecretStr

from app.asgi import create_app
from app.core.settings import load_settings
from benchmarks.chromium import launched
from tests.client import GraphQLClient
from tests.conftest import execute
from tests.console.conftest import Tabs, violations
from tests.identity.credentials import SECRET, bearer, token, token_of
from tests.web.browser import Visit
from tests.web.server import serving

ALICE, BOB = token_of("alice@acme"), token_of("bob@acme")

KEYS = "{ apiKeys(first: 10) { nodes { id name userId scope roles expiresAt revokedAt } } }"


@pytest.fixture
def guarded_url(console_folder: Path, dsn: str) -> Iterator[str]:
    """The real server with authentication on."""
    settings = load_settings(
        database_url=SecretStr(dsn), auth="on", jwt_secret=SecretStr(SECRET), jwt_tenant_claim="org",
        jwt_leeway_seconds=0, api_key_pepper=SecretStr("not a secret: it stands in a test, too"),
    )  # fmt: skip
    with serving(create_app(settings)) as url:
        yield url


@pytest.fixture
async def guarded(chromium: str, guarded_url: str) -> AsyncIterator[Tabs]:
    """Pages of that server's console. The browser tells of each 401 by itself: nothing else may be complained of."""
    async with launched(chromium) as browser:
        opened = Tabs(browser, guarded_url)
        yield opened
        for seen in opened.opened:
            seen.complaints[:] = [said for said in seen.complaints if "status of 401" not in said]
        opened.require_calm()


@asynccontextmanager
async def asking(url: str, shown: str) -> AsyncIterator[GraphQLClient]:
    """Asks the server with a credential."""
    async with httpx2.AsyncClient(base_url=url, headers=bearer(shown)) as http:
        yield GraphQLClient(http)


async def show(page: Page, credential: str, remember: bool = False) -> None:
    """Sign in by it, on the page that asks for one."""
    await page.get_by_role("heading", name="Sign in").wait_for()
    await page.get_by_label("Token or API key").fill(credential)
    if remember:
        await page.get_by_text("Keep me signed in on this device").click()
    await page.get_by_role("button", name="Sign in").click()


async def signed_in(tabs: Tabs, path: str, credential: str, remember: bool = False) -> Visit:
    """A page of somebody who came by its link, and had to sign in first."""
    seen = await tabs.open(path, user=None)
    await show(seen.page, credential, remember)
    await expect(seen.page).to_have_url(re.compile(re.escape(path)))
    return seen


async def kept(page: Page) -> dict[str, str]:
    """All that the console keeps in the browser, but the choice of a theme."""
    found = await page.evaluate("({ ...localStorage, ...sessionStorage })")
    return {name: value for name, value in found.items() if name != "colloquy.theme"}


async def test_refused_token_is_told_and_not_kept(guarded: Tabs) -> None:
    page = (await guarded.open("/keys?x=1", user=None)).page
    await show(page, token(exp=int(time.time()) - 60, org="acme"))

    await expect(page.get_by_role("alert")).to_contain_text("You were not let in: the token has expired")
    assert await violations(page) == []
    assert await kept(page) == {}
    await show(page, "no token at all")
    await expect(page.get_by_role("alert")).to_contain_text("neither a token nor a key")
    await show(page, ALICE)

    # Where the link led to begin with.
    await expect(page).to_have_url(re.compile(r"/keys\?x=1$"))
    await page.get_by_role("button", name="Account of alice").click()
    who = page.get_by_role("dialog", name="alice")
    await expect(who).to_contain_text("acme")
    await expect(who).to_contain_text("editor, member, reviewer")


async def test_one_stays_signed_in_for_the_tab_or_on_the_device(guarded: Tabs) -> None:
    of_tab = await signed_in(guarded, "/keys", ALICE)
    beside = (await guarded.another(of_tab, "/keys")).page
    await beside.get_by_role("heading", name="Sign in").wait_for()

    of_device = await signed_in(guarded, "/keys", ALICE, remember=True)
    beside = (await guarded.another(of_device, "/keys")).page
    await beside.get_by_role("button", name="Account of alice").wait_for()


async def test_nothing_is_left_when_one_signs_out_and_other_tabs_notice(guarded: Tabs) -> None:
    seen = await signed_in(guarded, "/audit", ALICE, remember=True)
    page, other = seen.page, (await guarded.another(seen, "/keys")).page
    await other.get_by_role("button", name="Account of alice").wait_for()
    await page.evaluate("localStorage.setItem('colloquy.draft', 'unsent')")

    await page.get_by_role("button", name="Account of alice").click()
    await page.get_by_role("button", name="Sign out").click()

    await expect(page).to_have_url(re.compile(r"/sign-in\?to=%2Faudit$"))
    await other.get_by_role("heading", name="Sign in").wait_for()
    assert await kept(page) == {}


async def test_next_person_finds_nothing_of_the_one_before(guarded: Tabs, guarded_url: str) -> None:
    async with asking(guarded_url, ALICE) as client:
        await client.create_session(title="Trip to Lisbon")
    page = (await signed_in(guarded, "/audit", ALICE)).page
    await page.get_by_role("article", name="Session created, number 1").wait_for()
    await page.evaluate("localStorage.setItem('colloquy.draft', 'unsent')")

    # By the address: alice never signed out. `location` would begin anew; this stays the page that knows her answers.
    await page.evaluate(
        "history.pushState(null, '', '/sign-in?to=/audit'); dispatchEvent(new PopStateEvent('popstate'))"
    )
    await show(page, BOB)

    await page.get_by_role("heading", name="Nothing has happened yet").wait_for()
    await page.get_by_role("button", name="Account of bob").wait_for()
    assert "colloquy.draft" not in await kept(page)


async def test_token_that_ends_leads_to_sign_in_and_back(guarded: Tabs) -> None:
    page = (await guarded.open("/audit?actor=alice", user=None)).page
    await page.get_by_role("heading", name="Sign in").wait_for()
    await show(page, token(exp=int(time.time()) + 10, org="acme"))
    await page.get_by_role("heading", name="Audit trail").wait_for()
    await page.evaluate("localStorage.setItem('colloquy.draft', 'unsent')")

    # Nobody has to do anything: the socket tells.
    await page.get_by_text("You are not signed in any more.").wait_for()
    assert await violations(page) == []
    await show(page, ALICE)

    await expect(page).to_have_url(re.compile(r"/audit\?actor=alice$"))
    assert (await kept(page))["colloquy.draft"] == "unsent"


@pytest.mark.parametrize("to", ["//evil.example/x", "https://evil.example", "/.//evil.example", "/\\evil.example"])
async def test_way_back_leads_nowhere_else(guarded: Tabs, to: str) -> None:
    page = (await guarded.open("/sign-in?to=" + to, user=None)).page

    await show(page, ALICE)

    await expect(page).to_have_url(f"{guarded.url}/chat")


async def test_name_is_enough_where_authentication_is_off(tabs: Tabs) -> None:
    page = (await tabs.open("/sign-in?to=/keys", user=None)).page
    await page.get_by_text("Authentication is off").wait_for()

    await page.get_by_label("Name").fill("bob@acme")
    await page.get_by_role("button", name="Continue").click()
    await page.get_by_role("button", name="Account of bob").click()
    await expect(page.get_by_role("dialog", name="bob")).to_contain_text("acme")
    await page.get_by_role("button", name="Sign in as somebody else").click()
    await page.get_by_role("button", name="Continue").click()

    await page.get_by_role("button", name="Account of system").wait_for()
    await expect(page).to_have_url(re.compile(r"/keys$"))


async def test_key_is_made_shown_once_lets_in_and_is_revoked(guarded: Tabs, guarded_url: str, dsn: str) -> None:
    page = (await signed_in(guarded, "/keys", ALICE)).page
    await page.get_by_role("heading", name="No keys yet").wait_for()

    await page.get_by_role("button", name="New key").click()
    await page.get_by_label("Name").fill("nightly export")
    await page.get_by_text("reviewer", exact=True).click()
    assert await violations(page) == []
    await page.get_by_role("button", name="Make the key").click()
    shown = page.get_by_role("dialog", name="The key “nightly export”")
    secret = await shown.locator("code").inner_text()
    await shown.get_by_role("button", name="Copy").click()
    await shown.get_by_role("button", name="Copied").wait_for()
    assert await page.evaluate("navigator.clipboard.readText()") == secret
    assert await violations(page, "[role=dialog]") == []
    await shown.get_by_role("button", name="Done").click()
    line = page.get_by_role("listitem").filter(has=page.get_by_role("heading", name="nightly export"))
    await expect(line).to_contain_text("active")
    await expect(line).to_contain_text("never used")
    assert secret not in await page.content()

    async with asking(guarded_url, secret) as program:
        [made] = (await program.data(KEYS))["apiKeys"]["nodes"]
        assert (made["userId"], made["scope"], made["roles"]) == ("alice", "READ", ["EDITOR", "MEMBER"])
        assert made["expiresAt"] is not None
        # As the server notes it, which it does once a minute.
        await execute(dsn, "UPDATE api_keys SET last_used_at = now()")
        await page.reload()
        await expect(line).to_contain_text("used just now")

        await line.get_by_role("button", name="Revoke nightly export").click()
        asked = page.get_by_role("dialog", name="Revoke “nightly export”?")
        await asked.get_by_role("button", name="Revoke").click()
        await expect(line).to_contain_text("by alice")
        await expect(line.get_by_text("revoked", exact=True)).to_be_visible()
        await expect(line.get_by_role("button")).to_have_count(0)
        assert (await program.post(KEYS)).status_code == 401


async def test_one_signs_in_by_a_key_and_is_out_when_it_is_revoked(guarded: Tabs, guarded_url: str) -> None:
    made = {"name": "for the console", "scope": "WRITE"}
    async with asking(guarded_url, ALICE) as client:
        key = await client.mutate("createApiKey", "secret apiKey { id }", made)
        page = (await signed_in(guarded, "/keys", f"Bearer {key['secret']}", remember=True)).page
        await page.get_by_role("button", name="Account of alice").wait_for()
        await page.get_by_role("heading", name="for the console").wait_for()

        await client.mutate("revokeApiKey", "apiKey { id }", {"apiKeyId": key["apiKey"]["id"]})

    await page.get_by_role("heading", name="Sign in").wait_for()
    await expect(page).to_have_url(re.compile(r"/sign-in\?to=%2Fkeys$"))


async def test_admin_sees_keys_of_the_tenant_and_makes_them_for_others(tabs: Tabs, served_url: str) -> None:
    page = (await tabs.open("/keys", user="system")).page

    await page.get_by_role("button", name="New key").click()
    await page.get_by_label("Name").fill("for anna")
    await page.get_by_role("button", name=re.compile("Scope$")).click()
    await page.get_by_role("option", name=re.compile("^Admin")).click()
    await page.get_by_role("button", name=re.compile("Lasts$")).click()
    await page.get_by_role("option", name="Until a day").click()
    await page.get_by_label("Last day").fill("2126-01-31")
    await page.get_by_label("For user").fill("anna")
    await page.get_by_role("button", name="Make the key").click()
    await page.get_by_role("button", name="Done").click()

    await expect(page.get_by_role("listitem").filter(has_text="for anna")).to_contain_text("lets in anna")
    async with httpx2.AsyncClient(base_url=served_url) as http:
        [made] = (await GraphQLClient(http).data(KEYS))["apiKeys"]["nodes"]
    assert (made["name"], made["userId"], made["scope"]) == ("for anna", "anna", "ADMIN")
    assert set(made["roles"]) == {"MEMBER", "EDITOR", "REVIEWER", "ADMIN"}
    assert made["expiresAt"].startswith("2126-02-01")


async def test_what_is_kept_of_an_account_is_the_account(guarded: Tabs) -> None:
    page = (await signed_in(guarded, "/keys", ALICE, remember=True)).page
    await page.get_by_role("button", name="Account of alice").wait_for()

    found = await kept(page)

    assert json.loads(found["colloquy.account"]) == {"kind": "credential", "credential": ALICE}
    assert found["colloquy.owner"] == "alice@acme"
