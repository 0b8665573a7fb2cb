"""The whole bot in Microsoft's own local client of Teams: nothing of either side is made up."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.app import Bot
from bot.models import Channel, Entry
from bot.ports import PersonRef, Place
from bot.store import Transaction
from tests.edges.teams_local.office import Office, opened
from tests.edges.teams_local.playground import ADELE, MEGAN, TEAM, Playground, Shown
from tests.edges.test_teams_cards import wrong_in

QUESTION = "Why does the pump make a noise like gravel when the suction valve is half closed?"
ANSWER = "That is cavitation: open the valve, and check the suction pressure."


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with opened(tmp_path) as made:
        yield made


@pytest.fixture
def bot(office: Office) -> Bot:
    return office.bot


@pytest.fixture
def teams(office: Office) -> Playground:
    return office.teams


async def test_one_question_from_chat_to_accepted_answer(teams: Playground) -> None:
    """Personal chat, Action.Execute, channel post, proactive message, dialog there and back, card updates."""
    await teams.says(QUESTION)
    preview = await teams.sees("I found no past answer")
    await teams.presses(preview, "Ask under my name")
    await teams.until(lambda: bool(posts(teams)), "the question in the channel")
    prompt = await teams.sees("and you may know")
    where = next(one for one in teams.log if one.get("activityName") == "createConversation"
                 and (one["request"]["body"].get("members") or [{}])[0].get("id") == MEGAN)  # fmt: skip
    chat = where["response"]["body"]["id"]
    data = prompt.button("Answer")["data"]
    assert data["msteams"] == {"type": "task/fetch"}
    value = {"data": data, "context": {"theme": "dark"}}
    opened = await teams.act("invoke", MEGAN, conversation=chat, name="task/fetch", value=value, replyToId=prompt.id)
    card = opened["body"]["task"]["value"]["card"]["content"]
    answers = {"answer": ANSWER}
    empty = {"data": {**card["actions"][0]["data"], "answer": ""}}
    again = await teams.act("invoke", MEGAN, conversation=chat, name="task/submit", value=empty)
    assert "Please fill this in." in json.dumps(again["body"])
    back = {"data": {**card["actions"][0]["data"], **answers}}
    done = await teams.act("invoke", MEGAN, conversation=chat, name="task/submit", value=back)
    assert done == {"statusCode": 200, "body": {}}
    await teams.sees("Megan Bowen answers")

    told = await teams.sees("Megan Bowen answered your question")
    await teams.presses(told, "This answers it")
    await teams.sees("Accepted answer")
    assert [one["displayText"] for one in teams.log if one.get("level") in ("warning", "error")] == []
    assert [wrong_in(one.card) for one in teams.shown() if wrong_in(one.card)] == []  # the client itself checks no card
    assert wrong_in(card) == []


def posts(teams: Playground) -> list[Shown]:
    """What the bot began threads with in the team's General channel."""
    return [one for one in teams.shown("gravel") if one.to.get("channelData", {}).get("channel") == {"id": TEAM}]


async def test_installing_the_app_is_greeted(teams: Playground) -> None:
    await teams.happens("install")
    await teams.sees("Ask me anything about work")


async def test_mention_in_a_channel_is_answered_in_private(teams: Playground) -> None:
    await teams.says(QUESTION, to=TEAM, mention=True)
    await teams.sees("I found no past answer")
    notes = [one.words for one in teams.shown("I have your question")]
    assert all(TEAM not in json.dumps(one.to) for one in teams.shown("gravel")), notes


async def test_commands_and_other_people(bot: Bot, teams: Playground) -> None:
    await teams.says("experts pump noise")
    await teams.sees("I know of nobody for that yet")
    assert bot.teams is not None
    chat = await bot.teams.direct(PersonRef("teams", teams.tenant, teams.account(ADELE)["aadObjectId"]))
    answer = await teams.act("message", ADELE, conversation=chat.channel, text="community")
    assert answer["statusCode"] == 200
    assert "Pumps" in (await teams.sees("valves, noise")).words


async def test_knowledge_goes_into_a_message(bot: Bot, teams: Playground) -> None:
    """Searched for from the compose box, and by its link."""
    await bot.store.run(keep)
    for _ in range(200):
        if (await bot.index.count())["entry"]:
            break
        await asyncio.sleep(0.05)
    typed = {"commandId": "know", "parameters": [{"name": "text", "value": "pump gravel"}]}
    typed |= {"queryOptions": {"skip": 0, "count": 25}}
    answer = await teams.act("invoke", name="composeExtension/query", value=typed)
    [found] = answer["body"]["composeExtension"]["attachments"]
    assert found["preview"]["content"]["title"] == QUESTION
    assert wrong_in(found["content"]) == []
    link = {"url": f"{bot.settings.address}/entries/1"}
    answer = await teams.act("invoke", name="composeExtension/queryLink", value=link)
    [shown] = answer["body"]["composeExtension"]["attachments"]
    assert QUESTION in json.dumps(shown["content"])
    link = {"url": f"{bot.settings.address}/entries/2"}
    assert (await teams.act("invoke", name="composeExtension/queryLink", value=link))["body"] == {}


async def keep(tx: Transaction) -> None:
    """An entry that everybody may read."""
    row = await tx.add(Entry(title=QUESTION, body=ANSWER, state="published", created_at=tx.now))
    await tx.later("index", f"entries:{row.id}-{row.id}")


async def test_app_that_is_removed_from_a_team_knows_its_channels_no_longer(bot: Bot, teams: Playground) -> None:
    general = Place("teams", teams.tenant, TEAM)
    assert bot.teams is not None
    assert (await bot.teams.place(general)).name == "My Team"
    await teams.happens("uninstall", TEAM)
    for _ in range(200):
        if (await channel(bot, general)).archived:
            break
        await asyncio.sleep(0.05)
    assert (await channel(bot, general)).archived
    with pytest.raises(LookupError):
        await bot.teams.place(general)


async def channel(bot: Bot, place: Place) -> Channel:
    """What the core knows of a channel."""
    async with bot.store.reading() as tx:
        row = await tx.channel_at(place)
        assert row is not None
        return row
