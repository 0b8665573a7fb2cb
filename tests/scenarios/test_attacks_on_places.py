"""Who may see what, after everything that can change: found by a review that tried to see more than it may."""

# ruff: noqa: F403, F405, F841, PT017

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import select

from bot import experts
from bot.acquaintance import EVERYBODY
from bot.models import *
from bot.ports import *
from tests.scenarios.chat import Actor
from tests.scenarios.conftest import World
from tests.scenarios.test_acquaintance import an_entry, person_changed, place_changed
from tests.scenarios.test_home import later
from tests.scenarios.test_one_question import QUESTION
from tests.scenarios.test_previews import entry
from tests.scenarios.test_saving import TIP, TITLE, save

LEAVE = "How many days of leave does a salary band give?"


async def ask_in_people(world, who="ana", also=("eva",), button="Ask under my name"):
    ana = world.be(who)
    await ana.says(LEAVE)
    form = await ana.presses("Change …")
    choice = next(i for i in form.inputs if i.name == "community")
    people = next(o.value for o in choice.options if o.label == "People practice")
    await ana.fills(form, community=people, experts=(), also=also)
    await ana.presses(button)


async def test_saved_entry_follows_its_channel_made_private(world: World) -> None:
    await save(world, "mod", await world.be("ben").says(TIP, to="pumps"))
    world.chat.add_channel("pumps", private=True, members=("ana", "ben", "mod"))
    await place_changed(world, "pumps")
    out = world.be("out")
    await out.commands("know", "before the first start of a pump")
    out.sees_nothing_of(TIP)


async def test_settle_review_tells_moderators_outside(world: World) -> None:
    ben, eva, mod = world.be("ben"), world.be("eva"), world.be("mod")
    async with world.bot.store.transaction() as tx:
        p = await tx.person_of(ben.ref)
        c = await tx.first(select(Community).where(Community.slug == "cloud"))
        tx.session.add(Membership(community_id=c.id, person_id=p.id, role="moderator"))
    said = await eva.says("Bands change every March.", to="people")
    form = await mod.points("save", said)
    cloud = next(o.value for o in form.inputs[2].options if o.label == "Cloud")
    await mod.fills(form, title="Secret salary title of March", community=cloud)
    ben.sees_nothing_of("Secret salary")
    await mod.presses("Publish")
    ben.sees_nothing_of("Secret salary")


async def test_mine_after_leaving(world: World) -> None:
    await ask_in_people(world)
    eva = world.be("eva")
    eva.sees("salary band", to="dm-eva")
    await eva.leaves("people")
    n = len(world.chat.posted)
    await eva.commands("mine")
    assert not any("salary band" in p.words for p in world.chat.posted[n:])


async def test_dm_after_leaving(world: World) -> None:
    await ask_in_people(world)
    eva = world.be("eva")
    await eva.leaves("people")
    n = len(world.chat.posted)
    await eva.says("Where is the canteen on Mondays?")
    assert not any("salary band" in p.words for p in world.chat.posted[n:]), [p.words for p in world.chat.posted[n:]]


async def test_author_who_left_told_accepted(world: World) -> None:
    await ask_in_people(world)
    eva, ana = world.be("eva"), world.be("ana")
    form = await eva.presses("Answer", on="you may know")
    await eva.fills(form, answer="Thirty days and more are given.")
    await eva.leaves("people")
    n = len(world.chat.posted)
    await ana.presses("This answers it")
    assert not any("salary band" in p.words for p in world.chat.posted[n:] if p.channel == "dm-eva"), [
        p.words for p in world.chat.posted[n:]
    ]


async def test_author_who_left_told_helped(world: World) -> None:
    await ask_in_people(world)
    eva, ana, mod = world.be("eva"), world.be("ana"), world.be("mod")
    form = await eva.presses("Answer", on="you may know")
    await eva.fills(form, answer="Thirty days and more are given.")
    await ana.presses("This answers it")
    await eva.leaves("people")
    n = len(world.chat.posted)
    await mod.says(LEAVE)
    await mod.presses("This solved it")
    assert not any("salary band" in p.words for p in world.chat.posted[n:] if p.channel == "dm-eva"), [
        p.words for p in world.chat.posted[n:]
    ]


async def test_asker_who_left_told_accepted(world: World) -> None:
    await ask_in_people(world)
    eva, ana, mod = world.be("eva"), world.be("ana"), world.be("mod")
    form = await eva.presses("Answer", on="you may know")
    await eva.fills(form, answer="Thirty days and more are given.")
    await ana.leaves("people")
    await mod.presses("This answers it", on="Eva Lind answers")
    assert not any("✓ Answered in" in p.words for p in world.chat.visible("ana") if p.channel == "dm-ana")


async def test_why_you_after_leaving(world: World) -> None:
    await ask_in_people(world)
    eva, ana, mod = world.be("eva"), world.be("ana"), world.be("mod")
    form = await eva.presses("Answer", on="you may know")
    await eva.fills(form, answer="Thirty days and more are given.")
    await ana.presses("This answers it")
    await eva.leaves("people")
    n = len(world.chat.posted)
    await ana.says("How many days of leave does a salary band give in a pump plant and a valve factory?")
    try:
        await ana.presses("Ask the experts")
    except AssertionError:
        pass
    form = await ana.presses("Change …")
    choice = next(i for i in form.inputs if i.name == "community")
    pumps = next(o.value for o in choice.options if o.label == "Pumps")
    await ana.fills(form, community=pumps, also=("eva",))
    await ana.presses("Ask under my name")
    got = [p.words for p in world.chat.posted[n:] if p.channel == "dm-eva"]
    assert got
    assert not any(f"“{LEAVE}" in w for w in got), got


async def test_guest_links_in_public(world: World) -> None:
    url = await entry(world, "cloud", "Drain a node before you upgrade it.")
    world.chat.add_person("guest", "Gus Guest", guest=True)
    assert await Actor(world.chat, world.bot, "guest").links(url, to="pumps") == {}


async def test_unintroduced_guest_in_private(world: World) -> None:
    ana = world.be("ana")
    public = await entry(world, "pumps", TIP)
    world.chat.add_person("guest", "Gus Guest", guest=True)
    world.chat.inside["people"].add("guest")
    await place_changed(world, "people")
    assert await ana.links(public, to="people") == {}


async def test_round_reaches_everybody(world: World) -> None:
    await an_entry(world)
    async with world.bot.store.transaction() as tx:
        for i in range(400):
            p = await tx.add(Person(name=f"P{i}"))
            tx.session.add(
                Account(platform="web", workspace="local", user=f"w{i}", person_id=p.id, checked_at=world.clock.now())
            )
    world.clock.forward(minutes=1)
    for k in list(world.chat.people):
        await person_changed(world, k)
    world.chat.people["chiara"] = replace(world.chat.people["chiara"], guest=True)
    for _ in range(30):
        world.clock.forward(hours=1, minutes=1)
        await world.bot.store.run(lambda tx: tx.later("round", EVERYBODY))
        await world.bot.worker.settle()
    async with world.bot.store.reading() as tx:
        p = await tx.person_of(world.chat.ref("chiara"))
    assert p.guest


async def test_one_bad_account_does_not_stop_the_round(world: World) -> None:
    await an_entry(world)
    async with world.bot.store.transaction() as tx:
        for a in await tx.all(select(Account).where(Account.user == "ana")):
            a.checked_at = None
    world.chat.people["chiara"] = replace(world.chat.people["chiara"], guest=True)
    real = world.chat.profile

    async def profile(ref):
        if ref.id == "ana":
            raise ValueError("odd")
        return await real(ref)

    world.chat.profile = profile
    world.clock.forward(hours=25)
    for _ in range(30):
        await world.bot.store.run(lambda tx: tx.later("round", EVERYBODY))
        await world.bot.worker.settle()
        world.clock.forward(hours=1)
    async with world.bot.store.reading() as tx:
        p = await tx.person_of(world.chat.ref("chiara"))
    assert p.guest


async def test_home_after_place_changed(world: World) -> None:
    ana, ben = world.be("ana"), world.be("ben")
    await ben.opens_home()
    await ana.says(QUESTION)
    await ana.presses("Ask under my name")
    await later(world)
    assert QUESTION in ben.home.words
    world.chat.add_channel("pumps", private=True, members=("ana", "mod"))
    await place_changed(world, "pumps")
    await later(world)
    assert QUESTION not in ben.home.words


async def test_home_after_made_guest(world: World) -> None:
    ana, ben = world.be("ana"), world.be("ben")
    await ben.opens_home()
    await ana.says(QUESTION)
    await ana.presses("Ask under my name")
    await later(world)
    world.chat.people["ben"] = replace(world.chat.people["ben"], guest=True)
    await person_changed(world, "ben")
    await later(world)
    assert QUESTION not in ben.home.words


async def test_web_leaver_at_once(world: World) -> None:
    profile = Profile(ref=PersonRef("web", "local", "p1"), name="Ben Okafor", email="ben@acme.example")
    await world.bot.web.add_people([(profile, "")])
    await world.bot.store.run(lambda tx: experts.introduce(tx, profile))
    world.chat.people["ben"] = replace(world.chat.people["ben"], active=False)
    await person_changed(world, "ben")
    assert not (await world.bot.web.profile(profile.ref)).active


async def test_name_oracle(world: World) -> None:
    world.chat.add_channel("bees", members=("out",))
    out = world.be("out")
    await out.commands("community", to="bees")
    form = await out.presses("Found a community in this channel")
    try:
        await out.fills(form, name="People practice", domain="Something else entirely")
    except FormError as e:
        assert "already" not in str(e)


async def test_stale_member_list(world: World) -> None:
    eva = world.be("eva")
    real = world.chat.members

    async def slow(place):
        found = await real(place)
        world.chat.members = real
        await eva.leaves("people")
        return found

    world.chat.members = slow
    await place_changed(world, "people")
    async with world.bot.store.reading() as tx:
        p = await tx.person_of(eva.ref)
        assert "fake:acme:people" not in await tx.readable(p)


async def test_stale_public(world: World) -> None:
    real = world.chat.place

    async def slow(place):
        found = await real(place)
        world.chat.place = real
        world.chat.add_channel("pumps", private=True, members=("ana", "ben", "mod"))
        await place_changed(world, "pumps")
        return found

    world.chat.place = slow
    await place_changed(world, "pumps")
    async with world.bot.store.reading() as tx:
        c = await tx.channel_at(world.chat.place_of("pumps"))
        assert c.private


async def test_left_before_introduced(world: World) -> None:
    world.chat.add_person("new", "Nora New")
    world.chat.inside["people"].add("new")
    await place_changed(world, "people")
    new = world.be("new")
    real = world.chat.profile

    async def down(ref):
        raise DeliveryError("rate limited", retry_after=5)

    world.chat.profile = down
    await new.leaves("people")
    world.chat.profile = real
    await new.commands("mine")
    async with world.bot.store.reading() as tx:
        assert "fake:acme:people" not in await tx.readable(await tx.person_of(new.ref))


async def test_deleted_while_form_open(world: World) -> None:
    ana, ben = world.be("ana"), world.be("ben")
    tip = await ben.says(TIP, to="pumps")
    form = await ana.points("save", tip)
    await ben.deletes(tip)
    await ana.fills(form, title=TITLE)
    async with world.bot.store.reading() as tx:
        assert await tx.all(select(Entry)) == []


async def test_what_members_wrote_stays_theirs_when_their_channel_is_opened(world: World) -> None:
    """Whoever comes in later neither keeps an answer to the members' question for everybody, nor learns the title that
    one of them gave to what is kept already."""
    await ask_in_people(world)
    eva, mod, out = world.be("eva"), world.be("mod"), world.be("out")
    thread = eva.sees("Ana Duarte asks", to="people").id
    kept = await eva.says("It was for the audit, and for nothing else.", to="people")
    await save(world, "mod", kept, title="Why was Dora dismissed?")
    replies = [await eva.says(text, to="people", thread=thread) for text in ("Thirty days, as I know.", "As ever.")]
    world.chat.add_channel("people", members=("ana", "mod", "eva"))
    await place_changed(world, "people")
    for reply in replies:
        assert await out.points("save", reply) is None
        out.sees("Only they can keep it")
    await out.points("save", kept)
    out.sees("kept already, for those who were in this channel then")
    out.sees_nothing_of("Dora")
    form = await mod.points("save", replies[0])
    assert form is not None
    await mod.fills(form)
    async with world.bot.store.reading() as tx:
        assert {entry.space for entry in await tx.all(select(Entry))} == {"fake:acme:people"}


async def test_profiles_are_no_reason_for_guests(world: World) -> None:
    """Ana sees why Ben may know until she is made a guest; that he may, she still sees in the channel both are in."""
    world.chat.inside["people"].add("ben")
    await place_changed(world, "people")
    ana = world.be("ana")
    await ana.says(QUESTION)
    assert "Profile lists" in ana.sees("I would post it").words
    form = await ana.presses("Change …")
    world.chat.people["ana"] = replace(world.chat.people["ana"], guest=True)
    await person_changed(world, "ana")
    people = next(o.value for i in form.inputs for o in i.options if o.label == "People practice")
    await ana.fills(form, community=people)
    assert "Ben Okafor" in ana.sees("I would post it in #people").words
    assert "Profile lists" not in ana.sees("I would post it in #people").words
