"""What people do in Slack, as the bot hears it: over signed HTTP, and over Socket Mode."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.ports import (
    Button,
    Buttons,
    Commanded,
    Deleted,
    Edited,
    Form,
    FormError,
    Heard,
    Input,
    Joined,
    Left,
    LinkShared,
    Message,
    Opened,
    Option,
    PersonChanged,
    PersonRef,
    PlaceChanged,
    Pointed,
    Pressed,
    Reacted,
    Submitted,
    Text,
)
from tests.edges.test_slack_support import ADDRESS, Desk, desk


@pytest.fixture(params=["http", "socket mode"])
async def here(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Desk]:
    """A workspace with the bot in it."""
    async with desk(tmp_path, socket_mode=request.param == "socket mode") as made:
        yield made
        assert made.slack.violations == []


async def test_a_question_is_heard_once(here: Desk) -> None:
    """A mention comes as two events, which act once; the mention is cut and the rest reads as it was typed."""
    ana, ben = here.acme.person("Ana Lima"), here.acme.person("Ben Okafor")
    water = here.acme.channel("water", ana, ben)
    await here.chat.profile(PersonRef("slack", here.acme.team.id, ben.id))  # his name is known by now
    said = await ana.mentions_bot(f"why, {ben.mention}, is 3 < 4 & <b> & https://wiki.example/x?", water)
    await here.settled()
    (heard,) = here.bot.of(Heard)
    assert heard.text == "why, @Ben Okafor, is 3 < 4 & <b> & https://wiki.example/x?"
    assert (heard.addressed, heard.direct, heard.message_id) == (True, False, said.ts)
    assert heard.actor == PersonRef("slack", here.acme.team.id, ana.id)
    assert heard.place == here.at(water)
    assert ana.id not in heard.id
    again = next(one for one in here.slack.inbound.deliveries if one.payload["event"]["type"] == "message")
    await here.slack.inbound.again(again).tried()
    await here.settled()
    assert len(here.bot.of(Heard)) == 1


async def test_direct_messages_threads_edits_and_deletions(here: Desk) -> None:
    """Each with the thread it is in."""
    ana = here.acme.person("Ana Lima")
    water = here.acme.channel("water", ana)
    first = await ana.dms("help")
    root = await ana.says("A question nobody put to the bot", water)
    reply = await ana.says("an answer", water, thread=root)
    await ana.edits(reply, "a better answer")
    await ana.deletes(reply)
    await here.settled()
    direct, plain, threaded = sorted(here.bot.of(Heard), key=lambda heard: not heard.direct)  # in order per channel
    assert (direct.direct, direct.addressed, direct.text, direct.message_id) == (True, False, "help", first.ts)
    assert (plain.direct, plain.addressed, plain.place.thread) == (False, False, None)
    assert threaded.place == here.at(water, root.ts)
    (edited,) = here.bot.of(Edited)
    assert (edited.text, edited.message_id, edited.place) == ("a better answer", reply.ts, here.at(water, root.ts))
    (deleted,) = here.bot.of(Deleted)
    assert (deleted.message_id, deleted.actor.id) == (reply.ts, ana.id)


async def test_what_the_bot_itself_says_is_not_heard(here: Desk) -> None:
    """Slack tells an app of its own messages, too."""
    ana = here.acme.person("Ana Lima")
    water = here.acme.channel("water", ana)
    ts = await here.chat.send(here.at(water), Message("Hello", (Text("Hello"),)), delivery_id="d1")
    await here.chat.update(here.at(water), ts, Message("Hello again", (Text("Hello again"),)))
    await here.chat.withdraw(here.at(water), ts)
    await here.settled()
    assert here.bot.events == []


async def test_commands_and_shortcuts(here: Desk) -> None:
    """/ask and its like; a message pointed at; and the form that opens from anywhere."""
    ana, ben = here.acme.person("Ana Lima"), here.acme.person("Ben Okafor")
    water = here.acme.channel("water", ana, ben)
    attempt = await ana.command("/experts", "pumps & seals", channel=water)
    assert (attempt.status, attempt.body) == (200, "")
    asked = await ben.says("Who knows why it stalls?", water)
    answer = await ben.says("It is the valve", water, thread=asked)
    await ana.chooses_shortcut("accept", answer)
    await ana.chooses_shortcut("ask_form")
    await here.settled()
    command, form = await here.bot.hears(Commanded, 2)
    assert (command.name, command.text, command.place) == ("experts", "pumps & seals", here.at(water))
    assert (form.name, form.text, form.place.channel) == ("ask", "", "")
    (pointed,) = here.bot.of(Pointed)
    assert (pointed.action, pointed.text, pointed.message_id) == ("accept", "It is the valve", answer.ts)
    assert pointed.author == PersonRef("slack", here.acme.team.id, ben.id)
    assert pointed.place == here.at(water, asked.ts)


FORM = Form(
    name="answer",
    value="7",
    title="Answer",
    submit="Send",
    intro="**Ana asks:** is \\*this\\* bold?",
    inputs=(
        Input(name="answer", label="Your answer", kind="long_text", initial="x" * 2000 + "\n" + "y" * 2000),
        Input(
            name="community",
            label="Community",
            kind="choice",
            options=(Option("1", "Pumps", "wet"), Option("2", "Cloud")),
            initial="1",
        ),
        Input(
            name="experts",
            label="Experts",
            kind="choices",
            options=(Option("4", "Ben"), Option("5", "Eva")),
            initial=("5",),
            required=False,
        ),
        Input(name="also", label="Also", kind="people", required=False),
        Input(name="who", label="Who", kind="person", required=False),
        Input(name="when", label="When", kind="datetime", required=False),
        Input(name="loud", label="Tell me", kind="toggle", initial=True),
    ),
)


async def test_a_press_opens_a_form_and_the_form_comes_back(here: Desk) -> None:
    """Typed values survive; what is wrong stands at the input; a text of more than 3,000 characters is whole."""
    ana = here.acme.person("Ana Lima")
    card = Message("A card", (Text("A card"), Buttons((Button("Answer", "prompt_answer", "7", "primary"),))))
    place = await here.chat.direct(PersonRef("slack", here.acme.team.id, ana.id))
    await here.chat.send(place, card, delivery_id="d1")

    async def script(event: object) -> None:
        if isinstance(event, Pressed):
            await here.chat.open_form(event.trigger, FORM)
        if isinstance(event, Submitted) and event.text("community") == "1":
            raise FormError({"community": "That one is closed.", "unknown": "And more."})

    here.bot.script = script
    await ana.presses("Answer")
    (pressed,) = await here.bot.hears(Pressed)
    assert (pressed.action, pressed.value, pressed.place) == ("prompt_answer", "7", place)
    assert ana.modal is not None
    assert "is *this* bold?" in ana.sees()

    refused = await ana.fills_and_submits()
    assert refused.errors == {"community": "That one is closed.", "answer": "And more."}
    assert here.bot.of(Submitted) == []
    accepted = await ana.fills_and_submits(community="Cloud", also=[ana.id])
    assert accepted.accepted
    assert ana.modal is None
    (sent,) = await here.bot.hears(Submitted)
    assert sent.text("answer") == "x" * 2000 + "\n" + "y" * 2000
    assert (sent.form, sent.value, sent.place) == ("answer", "7", place)
    assert (sent.text("community"), sent.chosen("experts"), sent.chosen("also")) == ("2", ("5",), (ana.id,))
    assert (sent.text("who"), sent.text("when"), sent.yes("loud")) == ("", "", True)


async def test_a_form_that_takes_too_long_is_given_back(here: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Slack gets its answer in time; what is found wrong later is said in private, with every word."""
    monkeypatch.setattr("adapters.slack.reception.WAIT", 0.05)
    ana = here.acme.person("Ana Lima")
    water = here.acme.channel("water", ana)
    form = Form(name="ask", value="", title="Ask", submit="Ask", inputs=(FORM.inputs[0],))
    waited = False

    async def script(event: object) -> None:
        nonlocal waited
        if isinstance(event, Commanded):
            await here.chat.open_form(event.trigger, form)
        if isinstance(event, Submitted):
            async with asyncio.timeout(5):
                await here.slack.quiet()  # Slack has had its answer by now
            waited = True
            raise FormError({"answer": "That is *too* long."})

    here.bot.script = script
    await ana.command("/ask", channel=water)
    await here.slack.until(lambda: ana.modal is not None)
    taken = await ana.fills_and_submits(answer="My only copy of <!channel> this")
    assert taken.accepted
    await here.slack.until(lambda: "That is *too* long." in ana.sees(ana.dm))
    assert waited
    assert "My only copy of" in ana.sees(ana.dm)


async def test_reactions_home_members_and_links(here: Desk) -> None:
    """The rest of what people do."""
    ana, ben = here.acme.person("Ana Lima"), here.acme.person("Ben Okafor")
    water = here.acme.channel("water", ana)
    said = await ana.says("It stalls", water)
    await ana.reacts("raising_hand::skin-tone-3", said)
    await ana.unreacts("raising_hand::skin-tone-3", said)
    await ana.opens_home()
    await ana.opens_home("messages")
    await ben.joins(water)
    await ben.leaves(water)
    await here.settled()
    on, off = here.bot.of(Reacted)
    assert (on.emoji, on.added, off.added) == ("raising_hand", True, False)
    assert (on.message_id, on.place) == (said.ts, here.at(water))
    (opened,) = here.bot.of(Opened)
    assert opened.actor.id == ana.id
    (joined,), (left,) = here.bot.of(Joined), here.bot.of(Left)
    assert (joined.actor.id, left.actor.id, left.place) == (ben.id, ben.id, here.at(water))
    if here.slack.links_in(ADDRESS):  # Socket Mode's manifest has no address of ours
        shared = await ana.shares_link(f"{ADDRESS}/k/4?a=1&b=2", water)
        await here.settled()
        (link,) = here.bot.of(LinkShared)
        assert (link.urls, link.message_id) == ((f"{ADDRESS}/k/4?a=1&b=2",), shared.ts)
        await here.chat.unfurl(link.place, link.message_id, {link.urls[0]: Message("Four", (Text("Entry four"),))})
        assert "Entry four" in ana.sees(water)


async def test_changed_channels_and_people(here: Desk) -> None:
    """What the core must look at again, and what the adapter must no longer believe."""
    ana, ben = here.acme.person("Ana Lima"), here.acme.person("Ben Okafor")
    water = here.acme.channel("water", ana, bot=False)
    place = here.at(water)
    assert (await here.chat.place(place)).private is False
    await here.acme.invites_bot(water, ana)
    await here.acme.renames(water, "waters")
    await here.acme.makes_private(water, ana)
    await here.settled()
    info = await here.chat.place(place)
    assert (info.name, info.private, info.archived, info.outsiders) == ("waters", True, False, False)
    await here.acme.shares(water, "T0THER")
    await here.settled()
    assert (await here.chat.place(place)).outsiders
    await here.acme.archives(water, ana)
    await here.settled()
    assert (await here.chat.place(place)).archived
    await here.acme.removes(here.acme.bot, water)
    await here.settled()
    changes = here.bot.of(PlaceChanged)
    assert {change.place for change in changes} == {place}
    assert len(changes) == 6

    ref = PersonRef("slack", here.acme.team.id, ben.id)
    assert (await here.chat.profile(ref)).active
    await here.acme.deactivates(ben)
    await here.settled()
    assert not (await here.chat.profile(ref)).active
    assert {change.actor for change in here.bot.of(PersonChanged)} == {ref}


async def test_strangers_are_heard_in_the_workspace_that_has_the_bot(here: Desk) -> None:
    """In a channel shared with another organisation, whose people Slack tells of with their own team."""
    eve = here.acme.person("Eve", stranger_of="T0THER")
    water = here.acme.channel("water", eve)
    await eve.mentions_bot("Why does it stall?", water)
    await here.settled()
    (heard,) = here.bot.of(Heard)
    assert heard.actor == PersonRef("slack", here.acme.team.id, eve.id)
    assert heard.place == here.at(water)
    assert (await here.chat.place(here.at(water))).outsiders


async def test_slack_ends_a_connection_now_and_then(tmp_path: Path) -> None:
    """The next one is opened, and nothing is missed."""
    async with desk(tmp_path, socket_mode=True, retry_delays=(0.2, 0.5, 1.0, 2.0)) as here:
        ana = here.acme.person("Ana Lima")
        await ana.dms("one")
        await here.slack.sockets.disconnect("refresh_requested")
        await ana.dms("two")
        await here.slack.sockets.connected()
        await ana.dms("three")
        heard = await here.bot.hears(Heard, 3)
        assert sorted(event.text for event in heard) == ["one", "three", "two"]
