"""A conversation as a person leads it: asked, answered word by word, corrected, and gone back to."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import expect
from pydantic import SecretStr

from app.asgi import create_app
from app.core.settings import load_settings
from tests.console.asking import asking
from tests.console.conftest import Tabs, violations
from tests.console.talking import (
    ENDLESS,
    LONG,
    PACE,
    ask_slowly,
    began,
    choose_model,
    composer,
    conversation,
    messages,
    path_of,
    send,
    settled,
    shows,
    stop,
)
from tests.web.server import serving


@pytest.fixture
def served_url(console_folder: Path, dsn: str) -> Iterator[str]:
    """The real server, whose models take their time."""
    settings = load_settings(database_url=SecretStr(dsn), local_words_per_second=PACE)
    with serving(create_app(settings)) as url:
        yield url


async def test_first_question_begins_a_session_and_its_answer_comes_word_by_word(tabs: Tabs) -> None:
    page = (await tabs.open("/chat")).page
    await choose_model(page, "local:echo")
    await send(page, LONG)

    session_id = await began(page)
    answer = messages(page, "Assistant")
    await expect(answer.get_by_text("word9")).to_be_visible()
    assert "word300" not in await answer.inner_text()
    await expect(stop(page)).to_be_visible()
    await settled(page)

    async with asking(tabs.url) as client:
        stored = await path_of(client, session_id)
        assert stored == [("USER", LONG), ("ASSISTANT", LONG)]
        await shows(page, stored)
        # The session was begun with the model that was chosen, hence goes on with it.
        await expect(page.get_by_role("button", name="Model")).to_contain_text("local:echo")
        await expect(composer(page)).to_have_value("")
    assert await violations(page) == []


async def test_stopped_answer_keeps_what_was_written_and_can_be_tried_again(tabs: Tabs) -> None:
    async with asking(tabs.url) as client:
        asked = await ask_slowly(client, ENDLESS)
        session_id = asked["session"]["id"]
        page = (await tabs.open(f"/chat/{session_id}")).page
        await expect(messages(page, "Assistant").get_by_text("word9")).to_be_visible()
        await stop(page).click()
        await settled(page)

        [_, (_, written)] = stored = await path_of(client, session_id)
        assert ENDLESS.startswith(written)
        assert 0 < len(written) < len(ENDLESS)
        await shows(page, stored)

        await page.get_by_role("button", name="Try again").click()
        await expect(messages(page, "Assistant").get_by_text("word9")).to_be_visible()
        await stop(page).click()
        await expect(messages(page, "Assistant").get_by_text("2/2")).to_be_visible()
        again = await path_of(client, session_id)
        assert ENDLESS.startswith(again[1][1])
        await shows(page, again)


async def test_edited_question_is_answered_beside_the_first_and_versions_are_switched(tabs: Tabs) -> None:
    async with asking(tabs.url) as client:
        session_id = (await ask_slowly(client, "first words"))["session"]["id"]
        page = (await tabs.open(f"/chat/{session_id}")).page
        await settled(page)

        await messages(page, "You").get_by_role("button", name="Edit").click()
        await page.get_by_role("textbox", name="Edit the message").fill("other words")
        await page.get_by_role("button", name="Ask again").click()
        await shows(page, [("USER", "other words"), ("ASSISTANT", "other words")])
        await settled(page)
        await expect(messages(page, "You").get_by_text("2/2")).to_be_visible()
        assert await path_of(client, session_id) == [("USER", "other words"), ("ASSISTANT", "other words")]

        await messages(page, "You").get_by_role("button", name="Previous version").click()
        await shows(page, [("USER", "first words"), ("ASSISTANT", "first words")])
        assert await path_of(client, session_id) == [("USER", "first words"), ("ASSISTANT", "first words")]

        await messages(page, "You").get_by_role("button", name="Next version").click()
        await shows(page, [("USER", "other words"), ("ASSISTANT", "other words")])


async def test_answer_is_given_once_more_by_the_model_that_is_chosen(tabs: Tabs) -> None:
    async with asking(tabs.url) as client:
        session_id = (await ask_slowly(client, "quiet words"))["session"]["id"]
        page = (await tabs.open(f"/chat/{session_id}")).page
        await settled(page)
        await choose_model(page, "local:extractive")
        await messages(page, "Assistant").get_by_role("button", name="Regenerate").click()

        await expect(messages(page, "Assistant").get_by_text("2/2")).to_be_visible()
        await settled(page)

        [_, again] = (await conversation(client, session_id))["activePath"]["nodes"]
        assert again["run"]["model"] == "local:extractive"
        assert again["siblings"] == {"index": 2, "count": 2}
        for part in again["content"].split("\n\n"):
            await expect(messages(page, "Assistant").get_by_text(part, exact=True)).to_be_visible()


async def test_fork_ends_with_the_message_that_it_was_asked_of(tabs: Tabs) -> None:
    async with asking(tabs.url) as client:
        session_id = (await ask_slowly(client, "one"))["session"]["id"]
        page = (await tabs.open(f"/chat/{session_id}")).page
        await settled(page)
        await send(page, "two")
        await expect(messages(page)).to_have_count(4)
        await settled(page)

        await messages(page).nth(1).get_by_role("button", name="Fork from here").click()
        await page.wait_for_url(lambda url: not url.endswith(session_id))

        await shows(page, [("USER", "one"), ("ASSISTANT", "one")])
        assert await path_of(client, await began(page)) == [("USER", "one"), ("ASSISTANT", "one")]
        assert len(await path_of(client, session_id)) == 4


async def test_prompt_of_the_library_is_filled_and_asked(tabs: Tabs) -> None:
    async with asking(tabs.url) as client:
        await client.mutate(
            "createPromptTemplate",
            "template { id }",
            {
                "name": "Answer a customer",
                "content": "You answer for {{shop}}: {{question}}",
                "variables": [{"name": "shop", "default": "Colloquy"}, {"name": "question"}],
            },
        )
        page = (await tabs.open("/chat")).page
        await choose_model(page, "local:echo")
        await page.get_by_role("button", name="Prompts of the library").click()
        await page.get_by_role("option", name="Answer a customer").click()
        await expect(page.get_by_role("button", name="Ask", exact=True)).to_be_disabled()
        await page.get_by_role("textbox", name="question").fill("Where is my parcel?")
        assert await violations(page) == []
        await page.get_by_role("button", name="Ask", exact=True).click()

        session_id = await began(page)
        await settled(page)
        asked = "You answer for Colloquy: Where is my parcel?"
        await shows(page, [("USER", asked), ("ASSISTANT", asked)])
        assert await path_of(client, session_id) == [("USER", asked), ("ASSISTANT", asked)]

        await page.get_by_role("button", name="Prompts of the library").click()
        await page.get_by_role("option", name="Answer a customer").click()
        await page.get_by_role("textbox", name="question").fill("And now?")
        await page.get_by_role("button", name="Insert the text").click()
        await expect(composer(page)).to_have_value("You answer for Colloquy: And now?")


async def test_what_is_said_while_an_answer_is_written_waits_for_it(tabs: Tabs) -> None:
    async with asking(tabs.url) as client:
        session_id = (await ask_slowly(client))["session"]["id"]
        page = (await tabs.open(f"/chat/{session_id}")).page
        await expect(stop(page)).to_be_visible()
        await send(page, "and then this")
        await expect(page.get_by_role("alert")).to_contain_text("still being written")
        await expect(composer(page)).to_have_value("and then this")
        assert len(await path_of(client, session_id)) == 2

        await page.get_by_role("button", name="Send after it").click()

        said = [("USER", LONG), ("ASSISTANT", LONG), ("USER", "and then this"), ("ASSISTANT", "and then this")]
        await shows(page, [*said[:3], ("ASSISTANT", "")])
        await expect(messages(page).nth(3).get_by_text("and then this", exact=True)).to_be_visible()
        await settled(page)
        await shows(page, said)
        assert await path_of(client, session_id) == said


async def test_older_messages_come_as_one_scrolls_up(tabs: Tabs) -> None:
    async with asking(tabs.url) as client:
        session_id = await client.create_session(title="Long")
        for number in range(1, 131):
            await client.say(session_id, f"message number {number}")
        page = (await tabs.open(f"/chat/{session_id}")).page

        log = page.get_by_role("log", name="Messages")
        await expect(log.get_by_text("message number 130", exact=True)).to_be_in_viewport()
        await expect(log.get_by_text("message number 20", exact=True)).to_have_count(0)

        await log.hover()
        first = log.get_by_text("message number 1", exact=True)
        for _ in range(100):
            if await first.count():
                break
            await page.mouse.wheel(0, -1_500)
            await page.wait_for_timeout(50)
        await expect(first).to_be_visible()

        await page.get_by_role("button", name="To the newest").click()
        await expect(log.get_by_text("message number 130", exact=True)).to_be_in_viewport()
        await expect(page.get_by_role("button", name="To the newest")).to_have_count(0)


async def test_file_goes_with_the_message_and_its_text_is_read(tabs: Tabs, tmp_path: Path) -> None:
    plan = tmp_path / "plan.txt"
    plan.write_text("The harbour opens at seven in the morning.\n")
    page = (await tabs.open("/chat")).page
    await choose_model(page, "local:extractive")
    await page.locator('input[type="file"]').set_input_files(plan)
    await send(page, "When does the harbour open?")

    session_id = await began(page)
    await expect(page.get_by_role("list", name="Attachments").get_by_text("plan.txt")).to_be_visible()
    await settled(page)
    async with asking(tabs.url) as client:
        [(_, question), (_, answer)] = await path_of(client, session_id)
    assert question == "When does the harbour open?"
    assert "The harbour opens at seven in the morning." in answer


async def test_message_whose_answer_was_lost_is_stored_once(tabs: Tabs) -> None:
    seen = await tabs.open("/chat")
    page = seen.page
    await expect(page.get_by_role("button", name="Model")).to_be_visible()
    lost = 0

    async def lose(route):  # type: ignore[no-untyped-def]
        nonlocal lost
        if lost < 2 and "ConversationSend" in (route.request.post_data or ""):
            lost += 1
            await route.fetch()
            await route.abort()
        else:
            await route.fallback()

    await page.route("**/graphql", lose)
    await send(page, "said once")
    session_id = await began(page)
    await settled(page)

    assert lost == 2
    async with asking(tabs.url) as client:
        assert (await conversation(client, session_id))["messageCount"] == 2
        sessions = await client.data("{ sessions(first: 5) { nodes { id } } }")
    assert sessions["sessions"]["nodes"] == [{"id": session_id}]
    assert all("/graphql" in complaint or "ERR_FAILED" in complaint for complaint in seen.complaints)
    seen.complaints.clear()
