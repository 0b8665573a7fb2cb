"""Links to knowledge entries: previewed only where everybody who reads the place may see the entry."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import select, update

from bot.models import Channel, Entry, Person
from tests.scenarios.chat import Actor, Posted
from tests.scenarios.conftest import World
from tests.scenarios.test_saving import TIP, TITLE, save


async def entry(world: World, channel: str, text: str) -> str:
    """An entry of what was said in this channel; its address."""
    await save(world, "mod", await world.be("eva").says(text, to=channel))
    async with world.bot.store.reading() as tx:
        row = await tx.first(select(Entry).order_by(Entry.id.desc()))
    return f"{world.bot.settings.address}/entries/{row.id}"


async def test_a_link_is_shown_with_what_it_leads_to(world: World) -> None:
    """Title, answer, who looks after it, and whether it was reviewed; other addresses are left alone."""
    ana = world.be("ana")
    url = await entry(world, "pumps", TIP)
    other = [f"{world.bot.settings.address}/entries/99", "https://elsewhere.example/entries/1", f"{url}x", "http://["]
    previews = await ana.links(url, *other, to="cloud")
    assert set(previews) == {url}
    words = Posted("p", "cloud", None, "bot", previews[url]).words
    for part in (TITLE, TIP, "Pumps", "looked after by Eva Lind", "reviewed"):
        assert part in words


async def test_a_private_channels_entry_shows_there_only(world: World) -> None:
    """And in the direct conversation of who may see it."""
    ana, ben = world.be("ana"), world.be("ben")
    url = await entry(world, "people", "Salary bands are looked at again every March.")
    assert await ana.links(url, to="pumps") == {}
    assert set(await ana.links(url, to="people")) == {url}
    assert set(await ana.links(url, to="dm-ana")) == {url}
    assert await ben.links(url, to="dm-ben") == {}


async def test_nothing_of_the_inside_is_shown_to_outsiders(world: World) -> None:
    """In a channel shared with another organisation, or a private one with a guest in it."""
    ana = world.be("ana")
    public, private = await entry(world, "pumps", TIP), await entry(world, "people", "Bands change every March.")
    async with world.bot.store.transaction() as tx:
        await tx.session.execute(update(Channel).where(Channel.channel == "cloud").values(outsiders=True))
    assert await ana.links(public, to="cloud") == {}
    world.chat.add_person("guest", "Gus Guest", guest=True)
    assert set(await ana.links(public, private, to="people")) == {public, private}
    await Actor(world.chat, world.bot, "guest").joins("people")
    assert set(await ana.links(public, private, to="people")) == {private}
    assert await Actor(world.chat, world.bot, "guest").links(public, to="dm-guest") == {}


async def test_what_is_not_found_is_not_shown(world: World) -> None:
    """A discarded entry, an unknown channel, somebody who has gone."""
    ana, mod = world.be("ana"), world.be("mod")
    url = await entry(world, "cloud", "Drain a node before you upgrade it.")
    assert set(await ana.links(url, to="pumps")) == {url}
    async with world.bot.store.transaction() as tx:
        person = await tx.person_of(ana.ref)
        assert person is not None
        await tx.session.execute(update(Person).where(Person.id == person.id).values(active=False))
    assert await ana.links(url, to="dm-ana") == {}
    await mod.presses("Discard")
    assert await mod.links(url, to="pumps") == {}


async def test_an_address_below_a_path(world: World) -> None:
    """However the pages are reached."""
    from bot.addresses import Addresses

    at = Addresses("https://chat.example/weaver")
    assert at.entry_of(at.entry(7)) == 7
    assert at.entry_of("HTTPS://Chat.Example/weaver/entries/7/?from=mail#top") == 7
    for url in ("https://chat.example/entries/7", "https://chat.example/weaver/entries/", "weaver/entries/7",
                "https://chat.example/weaver/entries/7/edit", "https://chat.example:x/weaver/entries/7"):  # fmt: skip
        assert at.entry_of(url) is None
    assert replace(at, base="https://chat.example").entry_of("https://chat.example/entries/7") == 7
