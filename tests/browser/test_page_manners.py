"""How the page behaves under people's hands: what it shows first, what it counts as new, what it says to a press."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.browser.conftest import Visitor, Walk

if TYPE_CHECKING:
    from playwright.async_api import Locator

pytestmark = [pytest.mark.needs_browser, pytest.mark.timeout(200)]

FOUND = "This may have been answered before"


async def _top(part: Locator) -> float:
    box = await part.bounding_box()
    assert box is not None
    return box["y"]


async def _posts(asker: Visitor, question: str, how: str = "Ask under my name") -> str:
    """Ask, whatever was found, as the bot proposes. Gives the channel."""
    await asker.asks(question)
    way = asker.message("Only you see this").get_by_role("button", name="None of these: ask the experts")
    if await way.count():
        await way.click()
    await asker.presses(how, on=await asker.sees("I would post it"))
    posted = await (await asker.sees("Posted in #")).inner_text()
    found = re.search(r"Posted in #([\w-]+)", posted)
    assert found is not None
    return found[1]


async def test_a_card_taller_than_the_pane_is_shown_from_its_beginning(walk: Walk) -> None:
    """One reads from the top; and where one reads on, nothing jumps."""
    grace = await walk.be("Joseph Kiplagat", viewport={"width": 1000, "height": 480})
    await grace.asks("Operators get eye irritation after a sodium hypochlorite delivery: how long to air the store?")
    card = await grace.sees(FOUND)
    pane = grace.page.locator("#timeline-main")
    height = await card.evaluate("card => card.offsetHeight")
    assert height > await pane.evaluate("pane => pane.clientHeight"), "the window is too tall for this test"
    await walk.shot(grace, "80-tall-card")
    assert await _top(card) >= await _top(pane) - 1

    await card.get_by_role("button", name="ask the experts").click()
    preview = await grace.sees("I would post it")
    await walk.shot(grace, "81-tall-preview")
    assert await _top(preview) >= await _top(pane) - 1


async def test_ones_own_question_is_no_news(walk: Walk) -> None:
    """Others find it unread in the channel; whoever asked it does not, with or without their name."""
    from playwright.async_api import expect

    asker = await walk.be("Chloe Ashworth")
    for how in ("Ask under my name", "Ask anonymously"):
        where = await _posts(asker, f"Does a submersible pump tolerate brackish water, {how.split()[-1]}?", how)
        link = asker.channels().get_by_role("link", name=re.compile(rf"^{where}\b"))
        await expect(link).to_have_text(where)
        await expect(asker.page).not_to_have_title(re.compile(r"^\("))
    await walk.shot(asker, "82-own-question")


async def test_a_press_that_changes_little_is_answered(walk: Walk) -> None:
    """Me too: a tick on the button for a moment, and a word for those who listen."""
    from playwright.async_api import expect

    asker, other = await walk.be("Chloe Ashworth"), await walk.be("Liam Garrity")
    where = await _posts(asker, "Who has run a submersible pump on a floating pontoon in a gale?")
    await other.goes_to(where)
    question = await other.sees("Chloe Ashworth asks", "floating pontoon")
    ticked = await other.page.evaluate_handle(
        """() => ({seen: new Promise(done => new MutationObserver(() =>
            document.querySelector('button.done') && done(document.querySelector('button.done').textContent)
        ).observe(document.body, {subtree: true, childList: true, attributes: true}))})"""
    )
    await other.presses("Me too", on=question)
    assert await ticked.evaluate("ticked => ticked.seen") == "Me too"
    await walk.shot(other, "83-me-too")
    await other.sees("floating pontoon", "1 more has the same question")
    await expect(other.page.locator("#announcer")).to_have_text("Me too: done")


async def test_on_a_touch_screen_nothing_is_covered(walk: Walk) -> None:
    """The row of actions opens below what was tapped, inside its message."""
    phone = await walk.be("Diego Salvatierra", viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    await phone.presses("Back to the channels")
    await phone.goes_to("pumps-hydraulics")
    for message in (await phone.main().get_by_role("article").all())[-2:]:
        await message.scroll_into_view_if_needed()
        await message.locator(".said").first.tap(position={"x": 8, "y": 8})
        row = message.get_by_role("toolbar", name="Actions on this message")
        await row.wait_for()
        inside, around = await row.bounding_box(), await message.bounding_box()
        words = await message.locator(".said").first.bounding_box()
        assert inside is not None
        assert around is not None
        assert words is not None
        assert inside["y"] >= words["y"] + words["height"]
        assert inside["y"] + inside["height"] <= around["y"] + around["height"] + 1
    await walk.shot(phone, "84-touch")


async def test_what_comes_below_is_offered(walk: Walk) -> None:
    """Somebody who reads further up is not moved, and is told that there is more."""
    from playwright.async_api import expect

    reader, writer = await walk.be("Siobhán Keane"), await walk.be("Ryan Whitford")
    await reader.goes_to("health-safety")
    await writer.goes_to("health-safety")
    await reader.page.locator("#timeline-main").evaluate("pane => { pane.scrollTop = 300; }")
    said = "The muster point moves to the north gate on Monday."
    await writer.composer("#health-safety").fill(said)
    await writer.composer("#health-safety").press("Enter")
    await reader.sees(said)
    assert abs(await reader.page.locator("#timeline-main").evaluate("pane => pane.scrollTop") - 300) < 2
    await walk.shot(reader, "85-new-below")
    await reader.presses("New below")
    await expect(reader.message(said)).to_be_in_viewport()
    await expect(reader.page.get_by_role("button", name="New below")).to_have_count(0)
    await expect(writer.message(said)).to_be_in_viewport()


async def test_a_form_is_not_closed_over_what_was_typed(walk: Walk) -> None:
    """Escape asks first; what was wrong is not said any more once it is put right."""
    from playwright.async_api import expect

    asker, other = await walk.be("Chloe Ashworth"), await walk.be("Liam Garrity")
    where = await _posts(asker, "Who knows a submersible pump that survives rags and wet wipes?")
    await other.goes_to(where)
    question = await other.sees("Chloe Ashworth asks", "wet wipes")
    await other.presses("Answer", on=question)
    form = other.dialog("Answer")
    await form.wait_for()
    await other.page.keyboard.press("Escape")
    await expect(form).to_have_count(0)

    await other.presses("Answer", on=question)
    await other.presses("Answer", on=form)
    await expect(form).to_contain_text("Please fill this in.")
    other.complaints.clear()  # the browser notes the refused request
    await form.get_by_label("Your answer").fill("One with a chopper impeller.")
    await expect(form).not_to_contain_text("Please fill this in.")
    await other.page.keyboard.press("Escape")
    await other.presses("Cancel", on=other.dialog("Close without sending?"))
    await expect(form.get_by_label("Your answer")).to_have_value("One with a chopper impeller.")
    await other.presses("Cancel", on=form)
    await walk.shot(other, "86-close-without-sending")
    await other.presses("Close", on=other.dialog("Close without sending?"))
    await expect(form).to_have_count(0)


async def test_what_answers_a_command_is_shown(walk: Walk) -> None:
    """Enter sends a command that is complete, and its answer is in sight wherever one was reading."""
    from playwright.async_api import expect

    asker = await walk.be("Mateo Fuentes", viewport={"width": 1000, "height": 480})
    for command, answer in [
        ("/know pump trips overload", "found for"),
        ("/experts pumps", "Who knows about"),
        ("/help", "/experts pump cavitation"),
    ]:
        await asker.composer("Weaver").fill(command)
        await asker.composer("Weaver").press("Enter")
        shown = await asker.sees(answer)
        assert await _top(shown) >= await _top(asker.page.locator("#timeline-main")) - 1
        await expect(asker.composer("Weaver")).to_have_value("")
        await walk.shot(asker, f"87-{command[1:5]}")


async def test_nothing_stays_on_the_screen_of_what_one_may_not_see(walk: Walk) -> None:
    """Out of a private channel, with its thread open: both are gone at once, and one is somewhere else."""
    from playwright.async_api import expect

    olivia = await walk.be("Olivia Tremblay")
    await olivia.goes_to("people-practice")
    await olivia.main().get_by_role("button", name=re.compile("repl")).last.click()
    await olivia.thread().get_by_role("article").first.wait_for()
    await olivia.presses("Leave #people-practice")
    await olivia.presses("Leave", on=olivia.dialog("Leave #people-practice?"))
    await olivia.main().get_by_role("heading", name="Weaver").first.wait_for()
    await expect(olivia.thread()).to_have_count(0)
    await expect(olivia.channels().get_by_role("link", name="people-practice")).to_have_count(0)
    await expect(olivia.page.locator("#toasts")).to_contain_text("not for you to see")
    await walk.shot(olivia, "88-left")


async def test_in_the_talk_with_the_bot_privacy_goes_without_saying(walk: Walk) -> None:
    """“Only visible to you” stands where others are, not where nobody else ever is."""
    from playwright.async_api import expect

    hana = await walk.be("Hana Kobayashi")
    await hana.composer("Weaver").fill("/help")
    await hana.composer("Weaver").press("Enter")
    await expect(await hana.sees("Ask me anything")).not_to_contain_text("Only visible to you")
    await hana.goes_to("data-analytics")
    await hana.composer("#data-analytics").fill("/help")
    await hana.composer("#data-analytics").press("Enter")
    await expect(await hana.sees("Ask me anything")).to_contain_text("Only visible to you")
    await walk.shot(hana, "89-only-you")
