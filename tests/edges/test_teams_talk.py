"""What people do in Teams, as the core hears it, and what the bot does, as Teams sees it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from adapters.teams.activities import emoji_name
from adapters.teams.render import card_of
from bot.errors import BotError
from bot.ports import (
    Button,
    Buttons,
    Commanded,
    Deleted,
    DeliveryError,
    Edited,
    Form,
    Heard,
    Input,
    Insertable,
    Joined,
    Left,
    Message,
    Option,
    PersonRef,
    Place,
    PlaceChanged,
    Pointed,
    Pressed,
    Reacted,
    Submitted,
    Text,
)
from tests.edges.slack_server import BadJson
from tests.edges.teams_local.bot import BEN, CHAT, Local, local
from tests.edges.teams_local.microsoft import BOT, TEAM, TENANT, Fault
from tests.edges.test_teams_cards import wrong_in

HELLO = Message("Hello", (Text("Hello"),))
MENTION = {"type": "mention", "mentioned": {"id": BOT, "name": "Weaver"}, "text": "<at>Weaver</at>"}
ABOUT_BEN = {"type": "mention", "mentioned": {"id": "29:ben", "name": "Ben Okafor"}, "text": "<at>Ben</at>"}
FORM = Form(
    name="answer",
    value="7",
    title="Answer",
    submit="Send",
    intro="**Why** does it *hum*?",
    inputs=(
        Input(name="answer", label="Your answer", kind="long_text", hint="Two sentences.", max_length=200),
        Input(name="where", label="Community", kind="choice", options=(Option("1", "Pumps"), Option("2", "Cloud"))),
        Input(
            name="who", label="Whom", kind="choices", options=(Option("a", "Ana"), Option("b", "Ben")), required=False
        ),
        Input(name="also", label="And", kind="people", required=False),
        Input(name="when", label="Until", kind="datetime", required=False),
        Input(name="openly", label="Under my name", kind="toggle", initial=True),
    ),
)


@pytest.fixture
async def teams(tmp_path: Path) -> AsyncIterator[Local]:
    async with local(tmp_path) as both:
        yield both


# --- in ---------------------------------------------------------------------------------------------------------------


async def test_chat_is_heard(teams: Local) -> None:
    [event] = await teams.hears(teams.activity(text="Why does  it hum?\r\nSince Monday."))
    assert isinstance(event, Heard)
    assert (event.text, event.direct, event.addressed) == ("Why does  it hum?\nSince Monday.", True, False)
    assert event.actor == PersonRef("teams", TENANT, "aad-ana")
    assert event.place == teams.place()
    assert "ana" not in event.id


async def test_mention_begins_a_thread(teams: Local) -> None:
    said = "<at>Weaver</at> why does <at>Ben</at>'s pump hum?"
    [event] = await teams.hears(teams.in_channel(root="77", id="77", text=said, entities=[MENTION, ABOUT_BEN]))
    assert isinstance(event, Heard)
    assert (event.text, event.addressed, event.message_id) == ("why does @Ben Okafor's pump hum?", True, "77")
    assert event.place == teams.place(TEAM)


async def test_reply_is_in_its_thread(teams: Local) -> None:
    [event] = await teams.hears(teams.in_channel(root="77", id="78", text="Check the valve", by=BEN))
    assert isinstance(event, Heard)
    assert (event.place, event.addressed) == (teams.place(TEAM, "77"), False)


async def test_quoting_reply_in_the_chat_is_in_the_thread_of_what_it_quotes(teams: Local) -> None:
    html = (
        '<blockquote itemscope itemtype="http://schema.skype.com/Reply" itemid="1700"><p>Do you know why?</p>'
        "</blockquote><p>Because the valve is shut &amp; dry.</p>"
    )
    more = {"attachments": [{"contentType": "text/html", "content": html}]}
    [event] = await teams.hears(teams.activity(text="Do you know why?\nBecause the valve is shut & dry.", **more))
    assert isinstance(event, Heard)
    assert (event.text, event.place.thread) == ("Because the valve is shut & dry.", "1700")


@pytest.mark.parametrize(
    ("said", "command"),
    [
        ("ask why does it hum?", ("ask", "why does it hum?")),
        ("/Experts solar pumps", ("experts", "solar pumps")),
        ("know: cavitation", ("know", "cavitation")),
        ("help", ("help", "")),
        ("mine", ("mine", "")),
    ],
)
async def test_commands_are_words(teams: Local, said: str, command: tuple[str, str]) -> None:
    [event] = await teams.hears(teams.activity(text=said))
    assert isinstance(event, Commanded)
    assert (event.name, event.text) == command


SENTENCES = ["help me with the pump", "asking for a friend", "mine hums", "community of what?", "Ask Maria, she knows"]


@pytest.mark.parametrize("said", SENTENCES)
async def test_sentences_are_no_commands(teams: Local, said: str) -> None:
    [event] = await teams.hears(teams.activity(text=said))
    assert isinstance(event, Heard)
    assert event.text == said


async def test_same_activity_twice_is_one_event(teams: Local) -> None:
    activity = teams.activity(text="once")
    assert len(await teams.hears(activity)) == 1
    assert await teams.hears(activity) == []


async def test_many_at_once_keep_their_order(teams: Local) -> None:
    for number in range(12):
        await teams.send(teams.activity(text=f"line {number}"))
    await teams.chat.reception.inbox.settle()
    assert [event.text for event in teams.core.heard if isinstance(event, Heard)] == [f"line {n}" for n in range(12)]


async def test_kept_before_it_is_acknowledged_and_taken_up_again(teams: Local) -> None:
    """The process ends after the acknowledgement: what was said is handled by the next one."""
    assert (await teams.send(teams.activity(text="do not lose me"))).status == 200
    assert teams.core.heard == []
    teams.core.failures = [RuntimeError("the database is away")]
    await teams.chat.reception.inbox.settle()
    teams.clock.ahead += type(teams.clock.ahead)(minutes=5)
    await teams.chat.reception.inbox.settle()
    assert [event.text for event in teams.core.heard if isinstance(event, Heard)] == ["do not lose me"]


async def test_edits_and_deletions(teams: Local) -> None:
    message = teams.in_channel(root="77", id="78", text="Check the valve", by=BEN)
    [heard] = await teams.hears(message)
    edit = {**message, "type": "messageUpdate", "text": "Check both valves", "timestamp": "2026-11-24T08:00:00Z"}
    [edited] = await teams.hears(edit)
    [again] = await teams.hears({**edit, "timestamp": "2026-11-24T08:01:00Z", "text": "Check all valves"})
    [deleted] = await teams.hears({**message, "type": "messageDelete", "text": None})
    assert isinstance(edited, Edited)
    assert isinstance(again, Edited)
    assert isinstance(deleted, Deleted)
    assert (edited.message_id, edited.text, again.text) == ("78", "Check both valves", "Check all valves")
    assert deleted.place == heard.place == teams.place(TEAM, "77")
    assert len({heard.id, edited.id, again.id, deleted.id}) == 4


async def test_reactions(teams: Local) -> None:
    both = {"reactionsAdded": [{"type": "like"}, {"type": "heart"}], "reactionsRemoved": [{"type": "sad"}]}
    events = await teams.hears(teams.in_channel("messageReaction", root="77", replyToId="78", **both))
    seen = [(event.emoji, event.added, event.message_id) for event in events if isinstance(event, Reacted)]
    assert seen == [("+1", True, "78"), ("heart", True, "78"), ("cry", False, "78")]


@pytest.mark.parametrize(
    ("reaction", "name"),
    [("2705_whiteheavycheckmark", "white_check_mark"), ("1f64b_raisinghand", "raising_hand"), ("zzz", "zzz")],
)
def test_reactions_beyond_the_first_six_are_named_by_their_character(reaction: str, name: str) -> None:
    assert emoji_name(reaction) == name


async def test_people_join_what_is_everybodys_in_a_team_and_leave_all_of_it(teams: Local) -> None:
    """A new member of a team is not let into its private channels: Teams is asked who is in those."""
    board, valves = "19:board@thread.tacv2", "19:valves@thread.tacv2"
    teams.microsoft.channels = [{"id": board, "type": "private"}, {"id": valves, "type": "standard"}]
    for channel in (board, valves, TEAM):
        await teams.hears(teams.in_channel(text="hi", channel=channel))
    await teams.chat.place(teams.place(board))
    await teams.chat.place(teams.place(valves))
    added = {"membersAdded": [BEN], "data": {"eventType": "teamMemberAdded"}}
    joined = await teams.hears(teams.in_channel("conversationUpdate", **added))
    assert {(type(event), event.place.channel) for event in joined} == {
        (Joined, TEAM),
        (Joined, valves),
        (PlaceChanged, board),
    }
    assert {event.actor.id for event in joined if isinstance(event, Joined)} == {"aad-ben"}
    assert len({event.id for event in joined}) == 3
    removed = {"membersRemoved": [BEN], "data": {"eventType": "teamMemberRemoved"}}
    left = await teams.hears(teams.in_channel("conversationUpdate", **removed))
    assert {(type(event), event.place.channel) for event in left} == {(Left, TEAM), (Left, valves), (Left, board)}


async def test_people_join_a_private_channel(teams: Local) -> None:
    board = "19:board@thread.tacv2"
    about = {"eventType": "channelMemberAdded", "channel": {"id": board}}
    [event] = await teams.hears(teams.in_channel("conversationUpdate", membersAdded=[BEN], data=about))
    assert isinstance(event, Joined)
    assert event.place == teams.place(board)


@pytest.mark.parametrize("happened", ["channelRenamed", "channelDeleted", "channelShared", "channelUnshared"])
async def test_changed_channel_is_looked_at_again(teams: Local, happened: str) -> None:
    about = {"eventType": happened, "channel": {"id": "19:valves@thread.tacv2", "name": "Valves"}}
    [event] = await teams.hears(teams.in_channel("conversationUpdate", data=about))
    assert isinstance(event, PlaceChanged)
    assert event.place == teams.place("19:valves@thread.tacv2")


async def test_renamed_team_and_removed_bot(teams: Local) -> None:
    await teams.hears(teams.in_channel(text="hi"))
    [renamed] = await teams.hears(teams.in_channel("conversationUpdate", data={"eventType": "teamRenamed"}))
    gone = {"membersRemoved": [{"id": BOT}], "data": {"eventType": "teamMemberRemoved"}}
    [removed] = await teams.hears(teams.in_channel("conversationUpdate", **gone))
    assert isinstance(renamed, PlaceChanged)
    assert isinstance(removed, PlaceChanged)
    with pytest.raises(LookupError):
        await teams.chat.place(teams.place(TEAM))
    with pytest.raises(DeliveryError, match="removed"):
        await teams.chat.send(teams.place(TEAM), HELLO, delivery_id="d")


async def test_who_installs_the_app_is_told_what_it_does(teams: Local) -> None:
    [event] = await teams.hears(teams.activity("installationUpdate", action="add"))
    assert isinstance(event, Commanded)
    assert event.name == "help"
    assert await teams.hears(teams.activity("installationUpdate", action="add-upgrade")) == []


async def test_bots_are_not_heard(teams: Local) -> None:
    assert await teams.hears(teams.activity(text="I am a robot", by={"id": "28:other", "name": "Robot"})) == []


# --- buttons and dialogs ----------------------------------------------------------------------------------------------


def card_action(action: str, value: str) -> dict[str, Any]:
    data = {"action": action, "value": value}
    return {"action": {"type": "Action.Execute", "verb": action, "data": data}, "trigger": "manual"}


async def test_press_is_answered_with_the_card_as_it_is_now(teams: Local) -> None:
    await teams.hears(teams.activity(text="hi"))
    sent = await teams.chat.send(teams.place(), HELLO, delivery_id="one")

    async def settle(event: Pressed) -> None:
        asyncio.get_running_loop().call_later(0.05, lambda: asyncio.ensure_future(bring_up_to_date(event.message_id)))

    async def bring_up_to_date(message: str) -> None:
        await teams.chat.update(teams.place(), message, Message("Solved", (Text("**Solved**"),)))

    teams.core.on_press = settle
    answer = await teams.invoke("adaptiveCard/action", card_action("solved", "12"), replyToId=sent)
    assert answer["type"] == "application/vnd.microsoft.card.adaptive"
    assert answer["value"]["fallbackText"] == "Solved"
    pressed = teams.core.heard[-1]
    assert isinstance(pressed, Pressed)
    assert (pressed.action, pressed.value, pressed.message_id) == ("solved", "12", sent)


async def test_press_whose_card_stays_as_it_is_is_answered_in_words(teams: Local) -> None:
    answer = await teams.invoke("adaptiveCard/action", card_action("me_too", "12"), replyToId="1")
    assert answer["type"] == "application/vnd.microsoft.activity.message"
    assert answer["value"]


async def test_press_on_an_old_client_is_a_press(teams: Local) -> None:
    [event] = await teams.hears(teams.activity(value={"action": "solved", "value": "12"}, replyToId="99"))
    assert isinstance(event, Pressed)
    assert (event.action, event.value, event.message_id) == ("solved", "12", "99")


async def opened(teams: Local, **more: Any) -> dict[str, Any]:
    """A dialog that a press opened."""
    teams.core.form = FORM
    fetch = {"data": {"action": "answer", "value": "7", "msteams": {"type": "task/fetch"}}}
    answer = await teams.invoke("task/fetch", fetch, replyToId="99", **more)
    teams.core.form = None
    assert answer["task"]["type"] == "continue"
    return dict(answer["task"]["value"])


def filled(dialog: dict[str, Any], **values: str) -> dict[str, Any]:
    """What the client sends back."""
    card = dialog["card"]["content"]
    initial = {one["id"]: one.get("value", "") for one in card["body"] if one["type"].startswith("Input.")}
    return {"data": {**card["actions"][0]["data"], **initial, **values}}


async def test_dialog_opens_and_comes_back(teams: Local) -> None:
    dialog = await opened(teams)
    assert dialog["title"] == "Answer"
    inputs = {one["id"]: one for one in dialog["card"]["content"]["body"] if one["type"].startswith("Input.")}
    assert inputs["answer"]["label"] == "Your answer"
    assert inputs["answer"]["isRequired"]
    assert inputs["answer"]["errorMessage"]
    assert inputs["also"]["choices.data"]["dataset"] == "graph.microsoft.com/users"
    values = {"answer": "Open the valve.", "where": "2", "who": "a,b", "also": "aad-ben", "openly": "false"}
    back = filled(dialog, **values, **{"when": "2026-12-01", "when~time": "17:30"})
    assert await teams.invoke("task/submit", back) == {}
    event = teams.core.heard[-1]
    assert isinstance(event, Submitted)
    assert (event.form, event.value, event.place) == ("answer", "7", teams.place())
    assert event.values == {
        "answer": "Open the valve.",
        "where": "2",
        "who": ("a", "b"),
        "also": ("aad-ben",),
        "when": "2026-12-01T17:30:00+01:00",
        "openly": False,
    }


async def test_what_is_wrong_is_said_in_the_dialog_and_what_was_typed_stays(teams: Local) -> None:
    teams.core.wrong = {"answer": "That is too short."}
    back = filled(await opened(teams), answer="Hm.", where="1")
    answer = await teams.invoke("task/submit", back)
    again = answer["task"]["value"]
    text = str(again["card"]["content"]["body"])
    assert "That is too short." in text
    assert "Hm." in text
    teams.core.wrong = {}
    assert await teams.invoke("task/submit", filled(again, answer="Open the valve, then wait.")) == {}
    event = teams.core.heard[-1]
    assert isinstance(event, Submitted)
    assert event.text("answer") == "Open the valve, then wait."
    assert event.text("where") == "1"


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"where": "3", "answer": "x"}, "choose from the list"),
        ({"where": "1", "answer": "x" * 201}, "At most 200"),
        ({"where": "1", "answer": "  "}, "fill this in"),
    ],
)
async def test_what_cannot_be_is_refused_before_the_core_hears_it(
    teams: Local, values: dict[str, str], words: str
) -> None:
    answer = await teams.invoke("task/submit", filled(await opened(teams), **values))
    assert words in str(answer)
    assert not any(isinstance(event, Submitted) for event in teams.core.heard)


async def test_form_that_is_sent_again_since_the_answer_was_lost_counts_once(teams: Local) -> None:
    """A form that was refused may be sent again as it was, and another dialog with the same words counts, too."""
    back = filled(await opened(teams), answer="Open the valve.", where="1")
    teams.core.wrong = {"answer": "Not just now."}
    await teams.invoke("task/submit", back)
    teams.core.wrong = {}
    assert await teams.invoke("task/submit", back) == {}
    assert "I have it" in (await teams.invoke("task/submit", back))["task"]["value"]
    assert await teams.invoke("task/submit", filled(await opened(teams), answer="Open the valve.", where="1")) == {}
    assert [type(event) for event in teams.core.heard].count(Submitted) == 2


async def test_dialog_belongs_to_who_opened_it_for_a_day(teams: Local) -> None:
    back = filled(await opened(teams), answer="Mine", where="1")
    stolen = await teams.invoke("task/submit", back, by=BEN)
    forged = await teams.invoke("task/submit", {"data": {**back["data"], "form": "gAAAAA"}})
    teams.clock.ahead += type(teams.clock.ahead)(days=2)
    late = await teams.invoke("task/submit", back)
    again = await teams.invoke("task/submit", back)
    for answer in (stolen, forged, late, again):
        assert answer["task"]["type"] == "message"
        assert "open it again" in answer["task"]["value"]
    assert not any(isinstance(event, Submitted) for event in teams.core.heard)


async def test_form_does_not_open_after_the_press_is_over(teams: Local) -> None:
    await opened(teams)
    pressed = teams.core.heard[-1]
    assert isinstance(pressed, Pressed)
    with pytest.raises(DeliveryError):
        await teams.chat.open_form(pressed.trigger, FORM)


async def test_slow_core_is_answered_for_and_does_not_lose_the_press(
    teams: Local, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An invoke that takes longer than Teams waits."""
    monkeypatch.setattr("adapters.teams.reception.WAIT", 0.05)
    reached, go_on = asyncio.Event(), asyncio.Event()

    async def slow(_event: Pressed) -> None:
        reached.set()
        await go_on.wait()

    teams.core.on_press = slow
    answer = await teams.invoke("adaptiveCard/action", card_action("solved", "12"), replyToId="1")
    assert "still" in answer["value"]
    async with asyncio.timeout(10):
        await reached.wait()
    assert isinstance(teams.core.heard[-1], Pressed)
    go_on.set()
    await teams.chat.reception.inbox.stop()
    assert await teams.chat.reception.inbox.settle() == 0


async def test_form_that_failed_after_the_dialog_closed_is_given_back(
    teams: Local, monkeypatch: pytest.MonkeyPatch
) -> None:
    await teams.hears(teams.activity(text="hi"))
    back = filled(await opened(teams), answer="All my words", where="1")
    teams.core.wrong = {"answer": "That is too short."}
    monkeypatch.setattr("adapters.teams.reception.WAIT", 0.0)
    await teams.invoke("task/submit", back)
    await teams.chat.reception.inbox.stop()
    assert "All my words" in str(teams.microsoft.cards(CHAT)[-1])
    assert "too short" in str(teams.microsoft.cards(CHAT)[-1])


# --- message extension ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("action", ["ask", "save", "accept"])
async def test_actions_on_messages(teams: Local, action: str) -> None:
    payload = {
        "id": "78",
        "replyToId": "77",
        "body": {"contentType": "html", "content": "<div>Check the <b>valve</b></div>"},
        "from": {"user": {"id": "aad-ben", "displayName": "Ben", "userIdentityType": "aadUser"}},
    }
    value = {"commandId": action, "messagePayload": payload}
    where = teams.in_channel(root="77")
    more = {"conversation": where["conversation"], "channelData": where["channelData"]}
    answer = await teams.invoke("composeExtension/fetchTask", value, **more)
    assert answer["task"]["type"] == "message"
    event = teams.core.heard[-1]
    assert isinstance(event, Pointed)
    assert (event.action, event.text, event.message_id) == (action, "Check the valve", "78")
    assert event.author == PersonRef("teams", TENANT, "aad-ben")
    assert event.place == teams.place(TEAM, "77")


async def test_action_on_a_message_may_open_a_form(teams: Local) -> None:
    teams.core.form = FORM
    payload = {"id": "78", "body": {"contentType": "text", "content": "Check <the> valve"}}
    where = teams.in_channel(root="78")
    more = {"conversation": where["conversation"], "channelData": where["channelData"]}
    value = {"commandId": "save", "messagePayload": payload}
    answer = await teams.invoke("composeExtension/fetchTask", value, **more)
    pointed = teams.core.heard[-1]
    assert isinstance(pointed, Pointed)
    assert (pointed.text, pointed.author, pointed.place) == ("Check <the> valve", None, teams.place(TEAM))
    back = filled(answer["task"]["value"], answer="Keep it", where="1")
    assert await teams.invoke("composeExtension/submitAction", {"commandId": "save", **back}, **more) == {}
    submitted = teams.core.heard[-1]
    assert isinstance(submitted, Submitted)
    assert submitted.place == teams.place(TEAM)


async def test_search_without_one_says_where_to_search(teams: Local) -> None:
    answer = await teams.invoke("composeExtension/query", {"commandId": "know"})
    assert answer["composeExtension"]["type"] == "message"


@dataclass
class Knowing:
    """A core that knows of one thing, or has nothing but a sentence."""

    sentence: str = ""
    trouble: Exception | None = None
    asked: list[tuple[str, Place, str]] = field(default_factory=list)

    async def search(self, writer: PersonRef, place: Place, text: str) -> list[Insertable]:
        self.asked.append((writer.id, place, text))
        if self.sentence or self.trouble:
            raise self.trouble or BotError(self.sentence)
        card = Message("Knowledge: Pumps hum", (Text("Pumps hum when dry."),))
        return [Insertable(title="Pumps <i>hum</i>", hint="Dry & <at>Ben</at> 1 < 2", message=card)]

    async def preview(self, writer: PersonRef | None, place: Place, url: str) -> Message | None:
        self.asked.append((writer.id if writer else "nobody", place, url))
        if self.sentence or self.trouble:
            raise self.trouble or BotError(self.sentence)
        return Message("Knowledge: Pumps hum", (Text("Dry & shut."),)) if url == LINK else None


LINK = "https://weaver.example/entries/7"


def query(typed: str, **options: int) -> dict[str, Any]:
    return {"commandId": "know", "parameters": [{"name": "text", "value": typed}], "queryOptions": options}


async def test_search_shows_what_may_be_inserted(teams: Local) -> None:
    """With a line to choose it by: its title as it is, and words in which Teams would read markup."""
    knowing = Knowing()
    teams.chat.assist(knowing)
    answer = await teams.invoke("composeExtension/query", query(" hum ", skip=0, count=25))
    [found] = answer["composeExtension"]["attachments"]
    line = {"title": "Pumps <i>hum</i>", "text": "Dry &amp; &lt;at&gt;Ben&lt;/at&gt; 1 &lt; 2"}
    assert found["preview"] == {"contentType": "application/vnd.microsoft.card.thumbnail", "content": line}
    assert found["content"]["body"][0]["inlines"][0]["text"] == "Pumps hum when dry."
    more = await teams.invoke("composeExtension/query", query("hum", skip=25, count=25))
    assert more["composeExtension"]["attachments"] == []
    assert knowing.asked == [("aad-ana", teams.place(), "hum")]


async def test_search_in_a_thread_is_in_its_channel(teams: Local) -> None:
    knowing = Knowing()
    teams.chat.assist(knowing)
    activity = teams.in_channel("invoke", root="77", name="composeExtension/query", value=query("hum"))
    assert (await teams.send(activity)).status == 200
    assert knowing.asked == [("aad-ana", teams.place(TEAM), "hum")]


@pytest.mark.parametrize(
    ("knowing", "typed", "words"),
    [
        (Knowing(sentence="Say more."), "", "Say more."),
        (Knowing(sentence="Nothing on that."), "hum", "Nothing on that."),
        (Knowing(trouble=RuntimeError("the index is gone")), "hum", "out of order just now"),
    ],
)
async def test_search_always_says_something(teams: Local, knowing: Knowing, typed: str, words: str) -> None:
    teams.chat.assist(knowing)
    answer = await teams.invoke("composeExtension/query", query(typed))
    assert answer["composeExtension"]["type"] == "message"
    assert words in answer["composeExtension"]["text"]


async def test_search_that_takes_too_long_says_so(teams: Local, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before Teams gives up waiting."""

    class Slow(Knowing):
        async def search(self, writer: PersonRef, place: Place, text: str) -> list[Insertable]:
            await asyncio.Event().wait()
            return []

    monkeypatch.setattr("adapters.teams.reception.WAIT_FOR_SEARCH", 0.01)
    teams.chat.assist(Slow())
    answer = await teams.invoke("composeExtension/query", query("hum"))
    assert "took too long" in answer["composeExtension"]["text"]


async def test_link_is_shown_with_what_it_leads_to(teams: Local) -> None:
    """As a card that Teams shows for links, and keeps for nobody else."""
    knowing = Knowing()
    teams.chat.assist(knowing)
    answer = (await teams.invoke("composeExtension/queryLink", {"url": LINK}))["composeExtension"]
    [shown] = answer["attachments"]
    assert (answer["type"], shown["contentType"]) == ("result", "application/vnd.microsoft.card.adaptive")
    assert shown["content"]["version"] == "1.3"
    assert wrong_in(shown["content"]) == []
    assert shown["preview"]["content"]["title"] == "Knowledge: Pumps hum"
    [policy] = answer["suggestedActions"]["actions"]
    assert (policy["type"], json.loads(policy["value"])) == ("setCachePolicy", {"type": "no-cache"})
    assert knowing.asked == [("aad-ana", teams.place(), LINK)]


@pytest.mark.parametrize(
    ("knowing", "value"),
    [
        (None, {"url": LINK}),
        (Knowing(), {"url": "https://weaver.example/c/pumps"}),
        (Knowing(), {}),
        (Knowing(sentence="Not for you."), {"url": LINK}),
        (Knowing(trouble=RuntimeError("the database is gone")), {"url": LINK}),
    ],
)
async def test_link_that_may_not_be_shown_stays_as_it_is(
    teams: Local, knowing: Knowing | None, value: dict[str, str]
) -> None:
    if knowing is not None:
        teams.chat.assist(knowing)
    assert await teams.invoke("composeExtension/queryLink", value) == {}


async def test_link_of_somebody_without_the_app(tmp_path: Path) -> None:
    """Teams hides who writes, where and in which tenant: the core hears of nobody, in a bot of one tenant, too."""
    hidden = {"from": {"id": "redacted", "name": "redacted"}, "channelData": {"tenant": {"id": "redacted"}}}
    hidden |= {"conversation": {"conversationType": "groupChat", "tenantId": "redacted", "id": "redacted"}}
    knowing = Knowing()
    async with local(tmp_path, tenant_id=TENANT) as teams:
        teams.chat.assist(knowing)
        answer = await teams.invoke("composeExtension/anonymousQueryLink", {"url": LINK}, **hidden)
        assert answer["composeExtension"]["type"] == "result"
        other = teams.activity("invoke", name="composeExtension/queryLink", value={"url": LINK}, **hidden)
        assert (await teams.send(other)).status == 403
    assert [(who, url) for who, _, url in knowing.asked] == [("nobody", LINK)]


# --- out --------------------------------------------------------------------------------------------------------------


async def test_same_delivery_is_posted_once(teams: Local) -> None:
    await teams.hears(teams.activity(text="hi"))
    first = await teams.chat.send(teams.place(), HELLO, delivery_id="d1")
    assert await teams.chat.send(teams.place(), HELLO, delivery_id="d1") == first
    assert await teams.chat.find(teams.place(), delivery_id="d1") == first
    assert await teams.chat.find(teams.place(), delivery_id="d2") is None
    assert len(teams.microsoft.posted) == 1


async def test_channel_post_begins_a_thread_and_replies_hang_in_it(teams: Local) -> None:
    await teams.hears(teams.in_channel(text="hi"))
    root = await teams.chat.send(teams.place(TEAM), HELLO, delivery_id="post")
    await teams.chat.send(teams.place(TEAM, root), HELLO, delivery_id="reply")
    assert [one["conversation"] for one in teams.microsoft.posted] == [f"{TEAM};messageid={root}"] * 2
    assert "parentMessageId=" + root in await teams.chat.permalink(teams.place(TEAM, root), "9")


async def test_chat_is_begun_with_somebody_never_met(teams: Local) -> None:
    """From a tenant's channel the bot learns how anybody there is reached."""
    ben = PersonRef("teams", TENANT, "aad-ben")
    with pytest.raises(DeliveryError, match="install the app"):
        await teams.chat.direct(ben)
    await teams.hears(teams.in_channel(text="hi"))
    teams.microsoft.add_person(TEAM, "29:ben", "aad-ben", "Ben Okafor", email="ben@acme.example")
    await teams.chat.members(teams.place(TEAM))
    place = await teams.chat.direct(ben)
    assert place == teams.place("a:chat-29:ben")
    assert await teams.chat.direct(ben) == place
    await teams.chat.send(place, HELLO, delivery_id="prompt")
    assert len(teams.microsoft.begun) == 1
    assert teams.microsoft.begun[0]["tenantId"] == TENANT


@pytest.mark.parametrize("where", [CHAT, TEAM])
async def test_message_whose_id_teams_did_not_tell_is_sent_once_more(teams: Local, where: str) -> None:
    await teams.hears(teams.activity(text="hi") if where == CHAT else teams.in_channel(text="hi"))
    for call in ("POST activities", "POST conversations"):
        teams.microsoft.planned.add(call, BadJson())
    with pytest.raises(DeliveryError, match="its id") as failed:
        await teams.chat.send(teams.place(where), HELLO, delivery_id="d")
    assert failed.value.retry_after is not None
    assert await teams.chat.find(teams.place(where), delivery_id="d") is None
    sent = await teams.chat.send(teams.place(where), HELLO, delivery_id="d")
    assert sent == teams.microsoft.posted[-1]["id"]


async def test_chat_that_has_gone_is_begun_anew(teams: Local) -> None:
    await teams.hears(teams.activity(text="hi"))
    ana = PersonRef("teams", TENANT, "aad-ana")
    teams.microsoft.faults = [Fault(404, "ConversationNotFound")]
    with pytest.raises(DeliveryError) as failed:
        await teams.chat.send(await teams.chat.direct(ana), HELLO, delivery_id="d")
    assert failed.value.retry_after is not None
    await teams.chat.send(await teams.chat.direct(ana), HELLO, delivery_id="d")
    assert len(teams.microsoft.begun) == len(teams.microsoft.posted) == 1


async def test_card_is_changed_in_place_and_withdrawn(teams: Local) -> None:
    await teams.hears(teams.activity(text="hi"))
    sent = await teams.chat.send(teams.place(), HELLO, delivery_id="d")
    await teams.chat.update(teams.place(), sent, Message("Changed", (Text("Changed"),)))
    assert teams.microsoft.cards() == [teams.microsoft.posted[0]["activity"]["attachments"][0]["content"]]
    assert teams.microsoft.cards()[0]["fallbackText"] == "Changed"
    await teams.chat.withdraw(teams.place(), sent)
    await teams.chat.withdraw(teams.place(), sent)  # gone already: quietly nothing
    await teams.chat.update(teams.place(), sent, HELLO)
    assert teams.microsoft.posted == []


@pytest.mark.parametrize("status", [412, 429, 500, 502, 503, 504])
async def test_passing_trouble_is_tried_again_later(teams: Local, status: int) -> None:
    await teams.hears(teams.activity(text="hi"))
    sent = await teams.chat.send(teams.place(), HELLO, delivery_id="d")
    chat, here = teams.chat, teams.place()
    for attempt in (chat.send(here, HELLO, delivery_id="e"), chat.update(here, sent, HELLO)):
        teams.microsoft.faults = [Fault(status, headers={"Retry-After": "17"} if status == 429 else {})]
        with pytest.raises(DeliveryError) as failed:
            await attempt
        assert failed.value.retry_after is not None
        assert failed.value.retry_after >= (17 if status == 429 else 1)
    assert len(teams.microsoft.posted) == 1


async def test_blocked_bot_gives_up(teams: Local) -> None:
    await teams.hears(teams.activity(text="hi"))
    teams.microsoft.faults = [Fault(403, "MessageWritesBlocked")]
    with pytest.raises(DeliveryError, match="not installed") as failed:
        await teams.chat.send(teams.place(), HELLO, delivery_id="d")
    assert failed.value.retry_after is None


async def test_token_that_ran_out_is_renewed(teams: Local) -> None:
    await teams.hears(teams.activity(text="hi"))
    await teams.chat.send(teams.place(), HELLO, delivery_id="d")
    teams.microsoft.tokens.clear()
    await teams.chat.send(teams.place(), HELLO, delivery_id="e")
    assert len(teams.microsoft.posted) == 2


async def test_wrong_password_waits_for_an_administrator(tmp_path: Path) -> None:
    async with local(tmp_path, app_password="wrong") as teams:
        await teams.hears(teams.activity(text="hi"))
        with pytest.raises(DeliveryError, match="does not accept") as failed:
            await teams.chat.send(teams.place(), HELLO, delivery_id="d")
        assert failed.value.retry_after is not None


# --- people and places ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "guest", "email"),
    [
        ({}, False, "ana@acme.example"),
        ({"userRole": "guest"}, True, "ana@acme.example"),
        ({"userPrincipalName": "ana_other.example#EXT#@acme.example"}, True, "ana@acme.example"),
        ({"tenantId": "another"}, True, None),
        ({"userRole": "anonymous"}, True, None),
    ],
)
async def test_profiles(teams: Local, more: dict[str, str], guest: bool, email: str | None) -> None:
    teams.microsoft.add_person(CHAT, "29:ana", "aad-ana", "Ana Duarte", **{"email": "ana@acme.example", **more})
    await teams.hears(teams.activity(text="hi"))
    profile = await teams.chat.profile(PersonRef("teams", TENANT, "aad-ana"))
    assert (profile.name, profile.guest, profile.email, profile.time_zone) == (
        "Ana Duarte",
        guest,
        email,
        "Europe/Berlin",
    )


async def test_who_is_not_there_any_more_is_unknown(teams: Local) -> None:
    await teams.hears(teams.activity(text="hi"))
    with pytest.raises(LookupError):
        await teams.chat.profile(PersonRef("teams", TENANT, "aad-ana"))


async def test_who_has_only_left_a_channel_is_known_in_their_chat(teams: Local) -> None:
    teams.microsoft.add_person("a:chat-29:ben", "29:ben", "aad-ben", "Ben Okafor")
    await teams.hears(teams.in_channel(text="goodbye", by=BEN))
    assert (await teams.chat.profile(PersonRef("teams", TENANT, "aad-ben"))).active
    teams.microsoft.faults = [Fault(429), Fault(429)]
    with pytest.raises(DeliveryError):
        await teams.chat.profile(PersonRef("teams", TENANT, "aad-ben"))


async def test_channel_is_private_unless_its_team_is_open(tmp_path: Path) -> None:
    channels = [{"id": TEAM}, {"id": "19:p@thread.tacv2", "name": "Board", "type": "private"},
                {"id": "19:s@thread.tacv2", "name": "With Acme", "type": "shared"}]  # fmt: skip
    seen: dict[tuple[str, ...], list[tuple[str, bool, bool]]] = {}
    for open_teams in ((), ("group-1",), ("*",), ("another",)):
        folder = tmp_path / str(len(seen))
        folder.mkdir()
        async with local(folder, open_teams=open_teams) as teams:
            teams.microsoft.channels = [{**one} for one in channels]
            teams.microsoft.channels[0]["type"] = "standard"
            for one in channels:
                await teams.hears(teams.in_channel(text="hi", channel=one["id"]))
            found = [await teams.chat.place(teams.place(one["id"])) for one in channels]
            seen[open_teams] = [(place.name, place.private, place.outsiders) for place in found]
    board = [("Board", True, False), ("With Acme", True, True)]
    assert seen[()] == seen["another",] == [("Field team", True, False), *board]
    assert seen["group-1",] == seen["*",] == [("Field team", False, False), *board]


async def test_deleted_channel_is_unknown(teams: Local) -> None:
    await teams.hears(teams.in_channel(text="hi"))
    with pytest.raises(LookupError):
        await teams.chat.place(teams.place(TEAM))


async def test_answer_that_cannot_be_read_is_no_empty_list(teams: Local) -> None:
    """Else a channel would count as deleted, and nobody would be in it."""
    await teams.hears(teams.in_channel(text="hi"))
    for call in ("GET conversations", "GET pagedmembers"):
        teams.microsoft.planned.add(call, BadJson())
    for asked in (teams.chat.place, teams.chat.members):
        with pytest.raises(DeliveryError, match="cannot be read") as failed:
            await asked(teams.place(TEAM))
        assert failed.value.retry_after is not None


async def test_members_over_several_pages(teams: Local) -> None:
    await teams.hears(teams.in_channel(text="hi"))
    for number in range(5):
        teams.microsoft.add_person(TEAM, f"29:{number}", f"aad-{number}", f"Person {number}")
    inside = await teams.chat.members(teams.place(TEAM))
    assert [one.id for one in inside] == [f"aad-{number}" for number in range(5)]


async def test_nothing_of_people_stands_plainly_in_the_database(teams: Local, tmp_path: Path) -> None:
    teams.microsoft.add_person(TEAM, "29:ben", "aad-ben", "Ben Okafor")
    await teams.hears(teams.activity(text="a very private question about the merger"))
    await teams.hears(teams.in_channel(text="hi"))
    await teams.chat.members(teams.place(TEAM))
    await teams.chat.send(teams.place(), HELLO, delivery_id="d")
    await teams.send(teams.activity(text="a second private question, which waits"))
    raw = await asyncio.to_thread(lambda: b"".join(path.read_bytes() for path in tmp_path.glob("teams.db*")))
    for plain in ("aad-ana", "Ana Duarte", "29:ben", "aad-ben", "private question", CHAT, TENANT):
        assert plain.encode() not in raw


def test_buttons_that_open_forms_ask_for_a_dialog() -> None:
    buttons = Buttons((Button("Answer", "answer", "7", "primary"), Button("Pass", "pass", "7"),
                       Button("Read", "", url="https://weaver.example/e/1")))  # fmt: skip
    card = card_of(Message("Who knows?", (buttons,)), ("answer",))
    answer, passed, read = card["body"][0]["actions"]
    assert answer["data"]["msteams"] == {"type": "task/fetch"}
    assert (passed["type"], passed["verb"], passed["fallback"]["type"]) == ("Action.Execute", "pass", "Action.Submit")
    assert (read["type"], read["url"]) == ("Action.OpenUrl", "https://weaver.example/e/1")
