"""Leavers, guests, askers and words, in odd moments: found by a review that tried to make the bot tell or forget."""

# ruff: noqa: F403, F405, PT018

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import select

from adapters.web.render import render_message
from bot import communities
from bot.models import *
from bot.ports import *
from bot.replies import plain
from tests.scenarios.conftest import World
from tests.scenarios.test_acquaintance import place_changed
from tests.scenarios.test_attacks_on_places import LEAVE, ask_in_people
from tests.scenarios.test_bad_input import assert_no_incident, event_of
from tests.scenarios.test_listening import KNOWN, known
from tests.scenarios.test_one_question import ANSWER, QUESTION


async def test_own_answer_without_told(world: World) -> None:
    ana, ben = world.be("ana"), world.be("ben")
    await ana.says(QUESTION)
    await ana.presses("Ask anonymously")
    for who in (ben, ana):
        form = await who.presses("Answer", on="A colleague asks")
        await who.fills(form, answer=f"{ANSWER} {who.id}")
    async with world.bot.store.reading() as tx:
        keys = set(await tx.all(select(Card.key)))
        silent = [a.author_id for a in await tx.all(select(Answer)) if f"told:{a.id}" not in keys]
    assert not silent


async def test_preview_then_other_channel(world: World) -> None:
    ana = world.be("ana")
    await ana.says(QUESTION)
    ana.sees("#pumps")
    world.chat.add_channel("a-pumps", members=("mod",))
    async with world.bot.store.transaction() as tx:
        ch = await communities.learn(tx, replace(world.chat.channels["a-pumps"], outsiders=True), ())
        ch.community_id = (await tx.first(select(Community).where(Community.slug == "pumps"))).id
    await ana.presses("Ask under my name")
    assert not [p for p in world.chat.posted if p.channel == "a-pumps"]


async def test_preview_private_then_public(world: World) -> None:
    ana = world.be("ana")
    await ana.says(LEAVE)
    form = await ana.presses("Change …")
    choice = next(i for i in form.inputs if i.name == "community")
    people = next(o.value for o in choice.options if o.label == "People practice")
    await ana.fills(form, community=people, experts=())
    assert "its members can read it" in ana.sees("I would post it").words
    world.chat.add_channel("people", members=("ana", "mod", "eva"))
    await place_changed(world, "people")
    await ana.presses("Ask under my name")
    world.be("out").sees_nothing_of("salary band")


async def test_addressed_in_a_thread(world: World) -> None:
    ana, ben = world.be("ana"), world.be("ben")
    await ana.says(QUESTION)
    await ana.presses("Ask under my name")
    thread = ben.sees("Ana Duarte asks", to="pumps").id
    n = len(world.chat.posted)
    await ben.says("help", to="pumps", thread=thread, bot=True)
    assert [p for p in world.chat.posted[n:] if p.author == "bot"]


async def test_addressed_question_in_a_thread(world: World) -> None:
    ana, ben = world.be("ana"), world.be("ben")
    await ana.says(QUESTION)
    await ana.presses("Ask under my name")
    thread = ben.sees("Ana Duarte asks", to="pumps").id
    await ben.says("Where do I find the drawing of that suction valve?", to="pumps", thread=thread, bot=True)
    async with world.bot.store.reading() as tx:
        assert not await tx.all(select(Answer))


async def test_unknown_command_keeps_words(world: World) -> None:
    ana = world.be("ana")
    for name in ("aks", "mine", "community", "help"):
        await ana.commands(name, QUESTION)
        assert QUESTION in ana.chat.posted[-1].words, name


async def test_missing_on_unposted(world: World) -> None:
    ana = world.be("ana")
    await ana.says(QUESTION)
    n = len(world.chat.posted)
    e = event_of(
        ana, Submitted, "sx", form="missing", value="1", values={"missing": "How far may it be closed, please?"}
    )
    await ana.bot.dispatcher.handle(e)
    await ana.bot.worker.settle()
    async with world.bot.store.reading() as tx:
        failed = [(w.kind, w.error) for w in await tx.all(select(Work).where(Work.failed))]
    assert not failed and len(world.chat.posted) > n, failed


async def test_given_back_without_spaces(world: World) -> None:
    ana, out = world.be("ana"), world.be("out")
    await ana.says(QUESTION)
    await ana.presses("Ask under my name")
    form = await out.presses("Answer", on="Ana Duarte asks")
    world.chat.add_channel("pumps", private=True, members=("ana", "ben", "mod"))
    await place_changed(world, "pumps")
    words = "泵發出噪音是因為吸入閥沒有完全打開請將它完全打開"
    await out.fills(form, answer=words)
    assert words in "".join(p.words for p in world.chat.visible("out"))


async def test_given_back_all(world: World) -> None:
    world.chat.add_channel("bees", members=("ana",))
    ana, ben = world.be("ana"), world.be("ben")
    await ana.commands("community", to="bees")
    await ben.commands("community", to="bees")
    f1 = await ana.presses("Found a community in this channel")
    f2 = await ben.presses("Found a community in this channel")
    await ana.fills(f1, name="Bees", domain="Bees and hives and honey")
    await ben.fills(f2, name="Beekeepers of the north", domain="All about bees and keeping of bees in the north.")
    seen = "".join(p.words for p in world.chat.visible("ben") if p.channel == "dm-ben")
    assert "Beekeepers of the north" in seen and "keeping of bees" in seen


def test_plain_never_links() -> None:
    html = render_message(
        Message("x", (Text(f"**{plain('see https://evil.example/a now')}**"), Context(plain("https://evil.example"))))
    )
    assert "<a " not in html, html


async def test_odd_found_values(world: World) -> None:
    ana = world.be("ana")
    for i, v in enumerate(("a\0/b/c", "\ud800/b/c", "/" * 2, "x" * 5000 + "/b/c", "fake/acme/nowhere")):
        for k, kind in enumerate((Pressed, Submitted)):
            more = {"action": "found"} if kind is Pressed else {"form": "found", "values": {"name": "A", "domain": "b"}}
            e = event_of(ana, kind, f"o{i}{k}", value=v, **more)
            await ana.bot.dispatcher.handle(e)
            await ana.bot.worker.settle()
    assert_no_incident(world.chat)


async def test_oracle_of_hidden_entries(world: World) -> None:
    await ask_in_people(world)
    eva, ana, ben = world.be("eva"), world.be("ana"), world.be("ben")
    form = await eva.presses("Answer", on="you may know")
    await eva.fills(form, answer="Thirty days and more are given.")
    await ana.presses("This answers it")
    said = []
    for i, v in enumerate(("1", "999")):
        await ben.bot.dispatcher.handle(event_of(ben, Pressed, f"r{i}", action="read", value=v))
        await ben.bot.worker.settle()
        said.append(world.chat.posted[-1].words)
    assert said[0] == said[1], said


async def test_ask_anonymously_what_was_said_aloud(world: World) -> None:
    eva = world.be("eva")
    await known(world)
    await eva.says(KNOWN, to="pumps")
    await eva.presses("Ask the experts")
    card = eva.sees("I would post it")
    assert "[Ask anonymously]" not in card.words or "your name" in card.words.replace("[Ask under my name]", "")


async def test_a_reply_before_the_thread_is_on_record(world: World) -> None:
    ana, ben = world.be("ana"), world.be("ben")
    await ana.says(QUESTION)
    replied = []

    async def replies_at_once() -> None:
        root = next(p for p in world.chat.posted if p.channel == "pumps")
        said = world.chat.put("pumps", root.id, "ben", ANSWER)
        place = world.chat.place_of("pumps", root.id)
        await world.bot.dispatcher.handle(Heard(**ben._event(place), message_id=said.id, text=ANSWER))
        replied.append(said)

    world.chat.while_sending = replies_at_once
    await ana.presses("Ask under my name")
    assert replied
    world.clock.forward(seconds=4)
    await world.settle()
    assert ANSWER in ana.sees("Ben Okafor answered your question").words


async def test_an_imported_expert_is_reached(world: World) -> None:
    world.chat.add_person("ida", "Ida Imported")
    async with world.bot.store.transaction() as tx:
        ida = await tx.add(Person(name="Ida Imported", email="ida@acme.example"))
        for topic in ("gravel noise of pumps", "suction valve half closed"):
            tx.session.add(Skill(person_id=ida.id, topic=topic, source="imported"))
        await tx.later("index", f"people:{ida.id}-{ida.id}")
    await world.settle()
    await world.be("ana").says(QUESTION)
    assert "Ida Imported" in world.be("ana").sees("I would post it").words


@pytest.mark.parametrize("button", ["Ask under my name", "Ask anonymously"])
async def test_whom_the_colleague_picker_leaves_out(world: World, button: str) -> None:
    """Oneself, who was asked, and the asker: but not one who asks without a name, whose absence would tell it."""
    ana, ben = world.be("ana"), world.be("ben")
    await ana.says(QUESTION)
    await ana.presses(button)
    asked = {key for key in ("ben", "chiara", "dev", "eva") if "you may know" in _words(world, key)}
    assert "ben" in asked
    form = await ben.presses("Someone else knows")
    assert form is not None
    assert set(form.inputs[-1].without) == asked | ({"ana"} if button == "Ask under my name" else set())
    assert "Ana Duarte" not in str(form.inputs)


def _words(world: World, key: str) -> str:
    return "\n".join(posted.words for posted in world.chat.visible(key))


async def test_only_who_fits_can_be_chosen_from_the_form(world: World) -> None:
    """What comes back is checked again: an id that was not offered is nobody's."""
    ana, ben = world.be("ana"), world.be("ben")
    await ana.says(QUESTION)
    await ana.presses("Ask under my name")
    form = await ben.presses("Someone else knows")
    for likely in ("1", "99", "x", "-1", ""):
        with pytest.raises(FormError):
            await ben.fills(form, likely=likely)
