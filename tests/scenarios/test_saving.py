"""A message becomes knowledge: credited to its author, seen by who may read its channel, looked over, kept once."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from bot.errors import Unknown
from bot.models import Entry, EntryAnswer, EntryVersion, Person
from bot.ports import FormError, Submitted
from tests.scenarios.chat import Actor, Posted
from tests.scenarios.conftest import World
from tests.scenarios.test_bad_input import assert_no_incident, event_of
from tests.scenarios.test_one_question import ANSWER, QUESTION

TIP = "Bleed the suction line before the first start, or the seal runs dry."
TITLE = "What must I do before the first start of a pump?"


async def entries(world: World) -> list[Entry]:
    """All of them."""
    async with world.bot.store.reading() as tx:
        return await tx.all(select(Entry).order_by(Entry.id))


async def save(world: World, key: str, posted: Posted, **values: Any) -> None:
    """Save a message as this person."""
    actor = world.be(key)
    await actor.fills(await actor.points("save", posted), **({"title": TITLE} | values))


async def test_a_message_is_kept_as_a_draft(world: World) -> None:
    """Its author is told and credited, moderators look it over, others find it and see that nobody has reviewed it."""
    ana, ben, eva, mod = world.be("ana"), world.be("ben"), world.be("eva"), world.be("mod")
    tip = await ben.says(TIP, to="pumps")
    form = await ana.points("save", tip)
    assert form is not None
    by_name = {item.name: item for item in form.inputs}
    assert "Ben Okafor's name" in form.intro
    assert (by_name["title"].initial, by_name["text"].initial) == ("", TIP)
    chosen = next(o.label for o in by_name["community"].options if o.value == by_name["community"].initial)
    assert chosen == "Pumps"
    await ana.fills(form, title=TITLE)

    assert "Saved as knowledge under Ben Okafor's name. It is a draft" in ana.sees("Saved as knowledge").words
    told = ben.sees("Ana Duarte saved your answer as knowledge")
    assert TIP in told.words
    (entry,) = await entries(world)
    assert (entry.title, entry.state, entry.space) == (TITLE, "draft", "org")
    assert entry.link == f"https://chat.example/pumps/{tip.id}"
    assert told.buttons[0].url == f"{world.bot.settings.address}/entries/{entry.id}"
    async with world.bot.store.reading() as tx:
        author = await tx.person_of(ben.ref)
        saver = await tx.person_of(ana.ref)
        answer = await tx.first(select(EntryAnswer))
        version = await tx.first(select(EntryVersion))
    assert author is not None
    assert saver is not None
    assert entry.owner_id == answer.author_id == author.id
    assert (version.version, version.by_id, version.content["answers"][0]["text"]) == (1, saver.id, TIP)

    await eva.commands("know", "before the first start of a pump")
    assert "not reviewed yet" in eva.sees(" found for ").words
    form = await mod.presses("Edit …", on=TIP)  # and an edit makes the next version
    await mod.fills(form, text=f"{TIP} Every time.")
    mod.sees("Edited and published by Maud Keller")
    assert [entry.state for entry in await entries(world)] == ["published"]


async def test_a_moderators_save_follows_the_rule(world: World) -> None:
    """Published at once where the community publishes; a draft where it does not."""
    mod, ben = world.be("mod"), world.be("ben")
    await save(world, "mod", await ben.says(TIP, to="pumps"))
    assert "It is published" in mod.sees("Saved as knowledge").words
    await save(world, "mod", await ben.says("Drain a node before you upgrade it.", to="cloud"))
    assert [entry.state for entry in await entries(world)] == ["published", "draft"]


async def test_what_was_said_in_a_private_channel_stays_there(world: World) -> None:
    """Whatever community it is filed under; and outsiders cannot save it."""
    eva, mod, ben = world.be("eva"), world.be("mod"), world.be("ben")
    text = "Salary bands are looked at again every March."
    said = await eva.says(text, to="people")
    form = await mod.points("save", said)
    assert form is not None
    pumps = next(o.value for o in form.inputs[2].options if o.label == "Pumps")
    await mod.fills(form, title="When are salary bands looked at?", community=pumps)
    await ben.commands("know", "when are salary bands looked at")
    ben.sees_nothing_of(text)
    await mod.commands("know", "when are salary bands looked at")
    assert text in mod.sees(" found for ").words
    await ben.points("save", said)
    assert "You are not in that channel" in world.chat.posted[-1].words
    assert len(await entries(world)) == 1


async def test_what_was_said_in_private_is_not_kept(world: World) -> None:
    """Nor what nobody wrote."""
    ana = world.be("ana")
    await ana.points("save", await ana.says("Bleed the line first, always."))
    ana.sees("That was said in private, so it stays there")
    card = await _posted_question(world)
    await ana.points("save", card)
    ana.sees("I can keep only what a person of your organisation wrote")
    await ana.points("save", await ana.says(TIP, to="pumps"), form=False)
    ana.sees("I cannot open a form here")
    assert await entries(world) == []


async def _posted_question(world: World) -> Posted:
    ana = world.be("ana")
    await ana.says(QUESTION)
    await ana.presses("Ask under my name")
    return ana.sees("Ana Duarte asks", to="pumps")


async def test_a_message_is_kept_once(world: World) -> None:
    """The second to save it is shown the entry; so is who had the form open meanwhile."""
    ana, eva, ben = world.be("ana"), world.be("eva"), world.be("ben")
    tip = await ben.says(TIP, to="pumps")
    open_form = await eva.points("save", tip)
    await save(world, "ana", tip)
    await ana.points("save", tip)
    assert TITLE in ana.sees("kept already").words
    await eva.fills(open_form, title="Another title for the same")
    assert eva.sees("kept already").buttons[0].url.endswith("/entries/1")
    assert len(await entries(world)) == 1

    await world.be("mod").presses("Discard")
    await ana.points("save", tip)
    ana.sees("taken out again")
    assert len(await entries(world)) == 1


async def test_an_answer_kept_by_hand_gives_way_to_the_accepted_thread(world: World) -> None:
    """The same words are not found twice."""
    ana, ben, mod, eva = world.be("ana"), world.be("ben"), world.be("mod"), world.be("eva")
    thread = (await _posted_question(world)).id
    reply = await ben.says(ANSWER, to="pumps", thread=thread)
    form = await eva.points("save", reply)
    assert form is not None
    assert form.inputs[0].initial == QUESTION
    await eva.fills(form)
    await ana.presses("This answers it", on="Ben Okafor answered")
    assert [entry.state for entry in await entries(world)] == ["retired", "published"]
    await mod.points("save", reply)
    assert mod.sees("kept already").buttons[0].url.endswith("/entries/2")


async def test_an_author_nobody_has_met_is_introduced(world: World) -> None:
    """By the platform; where it does not know them either, nothing is kept."""
    ana = world.be("ana")
    world.chat.add_person("new", "Nina New")
    tip = world.chat.put("pumps", None, "new", TIP)
    await save(world, "ana", tip)
    Actor(world.chat, world.bot, "new").sees("Ana Duarte saved your answer")
    async with world.bot.store.reading() as tx:
        assert await tx.first(select(Person).where(Person.name == "Nina New"))
    await ana.points("save", world.chat.put("pumps", None, "ghost", TIP))
    ana.sees("I can keep only what a person of your organisation wrote")


async def test_what_the_form_does_not_take(world: World) -> None:
    """Is said at its inputs, all at once."""
    ana, ben = world.be("ana"), world.be("ben")
    tip = await ben.says(TIP, to="pumps")
    with pytest.raises(FormError) as caught:
        await save(world, "ana", tip, title="?!", text="x" * 10_001, community="999")
    assert set(caught.value.errors) == {"title", "text", "community"}
    with pytest.raises(FormError) as caught:
        await save(world, "ana", tip, title="w " * 200, text=" ")
    assert "399 characters" in caught.value.errors["title"]
    for number, value in enumerate(("", "1", "abc", "gAAAAA==", ana.bot.store.seal.seal_json({"a": 1}))):
        made_up = event_of(ana, Submitted, f"s{number}", form="save", value=value, values={"text": "My long words."})
        await ana.bot.dispatcher.handle(made_up)
        await ana.bot.worker.settle()
        assert ana.chat.visible("ana")[-1].words.startswith(Unknown().sentence)
    assert await entries(world) == []
    assert_no_incident(world.chat)


async def test_a_pin_keeps_an_answer(world: World) -> None:
    """From a moderator, or from its author, as a draft; from anybody else it is an emoji."""
    ana, ben, eva, mod = world.be("ana"), world.be("ben"), world.be("eva"), world.be("mod")
    thread = (await _posted_question(world)).id
    first = await ben.says(ANSWER, to="pumps", thread=thread)
    second = await eva.says("Throttle on the pressure side, never on the suction side.", to="pumps", thread=thread)
    talk = await ben.says("Lunch is at noon.", to="pumps")
    seen = len(world.chat.posted)
    await ana.reacts("pushpin", first)
    await mod.reacts("pushpin", talk)
    await mod.reacts("tada", first)
    assert len(world.chat.posted) == seen
    await mod.reacts("pushpin", first)
    await eva.reacts("round_pushpin", second)
    await eva.reacts("pushpin", second)
    assert [(entry.title, entry.state) for entry in await entries(world)] == [
        (QUESTION, "published"), (QUESTION, "draft")
    ]  # fmt: skip
    ben.sees("Maud Keller saved your answer as knowledge")
    assert "[Publish]" in mod.sees("Throttle on the pressure side", to="dm-mod").words


async def test_what_is_kept_follows_its_message(world: World) -> None:
    """Edits, while nobody has put it in other words; and its removal."""
    ben, mod = world.be("ben"), world.be("mod")
    tip = await ben.says(TIP, to="pumps")
    await save(world, "ana", tip)
    await ben.edits(tip, f"{TIP} Twice.")
    await ben.edits(tip, f"{TIP} Three times.")
    await ben.edits(tip, "")  # a platform's way to say that only a picture is left: the words stay
    assert "Three times." in mod.sees("to be reviewed").words
    other = await ben.says("Yes: drain a node before you upgrade it.", to="cloud")
    await save(world, "mod", other, text="Drain a node before you upgrade it.")
    await ben.edits(other, "No: never mind.")
    async with world.bot.store.reading() as tx:
        texts = [row.text for row in await tx.all(select(EntryAnswer).order_by(EntryAnswer.id))]
    assert texts == [f"{TIP} Three times.", "Drain a node before you upgrade it."]

    form = await mod.presses("Edit …", on="Three times.")
    await mod.fills(form, text=f"{TIP} As often as it takes.")
    await ben.edits(tip, "Something else.")
    async with world.bot.store.reading() as tx:
        assert (await tx.first(select(EntryAnswer).order_by(EntryAnswer.id))).text == f"{TIP} As often as it takes."
    await ben.deletes(tip)
    mod.sees("Taken back by its author")
    assert [entry.state for entry in await entries(world)] == ["retired", "draft"]


async def test_what_was_published_as_reviewed_is_reviewed_again(world: World) -> None:
    """Where the community's rule asks for it."""
    ben, mod = world.be("ben"), world.be("mod")
    tip = await ben.says("Drain a node before you upgrade it.", to="cloud")
    await save(world, "mod", tip)
    await mod.presses("Publish")
    await ben.edits(tip, "Buy my course on upgrades of nodes.")
    assert "[Publish]" in mod.sees("Buy my course", to="dm-mod").words
    assert [entry.state for entry in await entries(world)] == ["draft"]
