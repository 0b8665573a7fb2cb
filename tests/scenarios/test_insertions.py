"""Knowledge put into a message, or linked: what the writer finds, and what all who read that message will see."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from bot.errors import BotError, Stranger
from bot.models import Channel, Person
from bot.ports import Insertable, PersonRef
from tests.scenarios.chat import Actor, Posted
from tests.scenarios.conftest import World
from tests.scenarios.test_previews import entry
from tests.scenarios.test_saving import TIP, TITLE

SEARCH = "before the first start of a pump"
BANDS = "Salary bands are looked at again every March."


async def search(world: World, who: str | Actor, text: str = SEARCH, *, to: str = "a chat") -> list[Insertable]:
    """What this person is offered while they write in a place."""
    actor = world.be(who) if isinstance(who, str) else who
    return list(await world.bot.composer.search(actor.ref, world.chat.place_of(to), text))


async def refused(world: World, who: str | Actor, text: str = SEARCH) -> str:
    """The sentence they see instead."""
    with pytest.raises(BotError) as told:
        await search(world, who, text)
    return told.value.sentence


def words_of(found: Insertable) -> str:
    """All that readers of the message will see."""
    return Posted("p", "a chat", None, "bot", found.message).words


async def test_an_entry_of_everybodys_goes_in_whole(world: World) -> None:
    """With its source, and a link; nothing of it may be pressed by whoever reads there."""
    url = await entry(world, "pumps", TIP)
    (found,) = await search(world, "ben")
    assert found.title == TITLE
    assert found.hint == f"Pumps: {TIP}"
    for part in (TITLE, TIP, "Pumps", "looked after by Eva Lind", url):
        assert part in words_of(found)
    assert "Why this" not in words_of(found)
    assert Posted("p", "a chat", None, "bot", found.message).buttons == []


async def test_of_a_private_channels_entry_the_title_goes_in(world: World) -> None:
    """Whoever writes where, even in that channel: a card may be moved. Who may not see it finds nothing."""
    url = await entry(world, "people", BANDS)
    for place in ("a chat", "pumps", "people"):
        (found,) = await search(world, "ana", to=place)
        assert "Only its title" in found.hint
        assert TITLE in words_of(found)
        assert "March" not in words_of(found)
        assert "People" not in words_of(found)
        assert [button.url for button in Posted("p", place, None, "bot", found.message).buttons] == [url]
    assert "found nothing" in await refused(world, "ben")


async def test_where_outsiders_read_nothing_of_the_inside_goes_in(world: World) -> None:
    """But what the writer chose, by its title."""
    await entry(world, "pumps", TIP)
    async with world.bot.store.transaction() as tx:
        await tx.session.execute(update(Channel).where(Channel.channel == "cloud").values(outsiders=True))
    (inside,) = await search(world, "ana", to="pumps")
    (outside,) = await search(world, "ana", to="cloud")
    assert TIP in words_of(inside)
    assert TIP not in words_of(outside)
    assert TIP not in outside.hint
    world.chat.add_person("guest", "Gus Guest", guest=True)
    (before,) = await search(world, "ana", to="people")
    await Actor(world.chat, world.bot, "guest").joins("people")
    (after,) = await search(world, "ana", to="people")
    assert TIP in words_of(before)
    assert TIP not in words_of(after)


async def test_guests_find_nothing(world: World) -> None:
    """Not even what they could read in a channel they are in."""
    await entry(world, "pumps", TIP)
    await entry(world, "people", BANDS)
    world.chat.add_person("guest", "Gus Guest", guest=True)
    guest = Actor(world.chat, world.bot, "guest")
    await guest.joins("people")
    assert "for members of the organisation" in await refused(world, guest)


async def test_who_has_left_and_who_is_nobody_find_nothing(world: World) -> None:
    await entry(world, "pumps", TIP)
    async with world.bot.store.transaction() as tx:
        person = await tx.person_of(world.be("ben").ref)
        assert person is not None
        await tx.session.execute(update(Person).where(Person.id == person.id).values(active=False))
    assert "for members of the organisation" in await refused(world, "ben")
    world.chat.people.pop("out")
    unknown = PersonRef("web", "local", "nobody")
    with pytest.raises(Stranger):
        await world.bot.composer.search(unknown, world.chat.place_of("a chat"), SEARCH)


async def test_who_was_never_met_is_asked_for(world: World) -> None:
    """Somebody who has only just got the app."""
    await entry(world, "pumps", TIP)
    world.chat.add_person("nia", "Nia New")
    assert len(await search(world, Actor(world.chat, world.bot, "nia"))) == 1


@pytest.mark.parametrize("typed", ["", " ", "p", "?!", "🎉🎉", "\0\0"])
async def test_too_short_a_search_asks_for_more(world: World, typed: str) -> None:
    assert "two letters or more" in await refused(world, "ana", typed)


async def test_nothing_found_says_what_to_do(world: World) -> None:
    await entry(world, "pumps", TIP)
    assert "Ask it as a question" in await refused(world, "ana", "marmalade")
    assert "characters; I can take" in await refused(world, "ana", "pump " * 5000)


async def test_what_is_taken_back_is_not_found(world: World) -> None:
    await entry(world, "cloud", "Drain a node before you upgrade it.")
    assert len(await search(world, "ana", "Drain a node before upgrade")) == 1
    await world.be("mod").presses("Discard")
    assert "found nothing" in await refused(world, "ana", "Drain a node before upgrade")


# --- a link ----------------------------------------------------------------------------------------------------------


async def preview(world: World, who: str | Actor | None, url: str, *, to: str = "a chat") -> str:
    """What is shown of a link that this person pastes in a place; empty for nothing, as where they are refused."""
    actor = world.be(who) if isinstance(who, str) else who
    try:
        shown = await world.bot.composer.preview(actor.ref if actor else None, world.chat.place_of(to), url)
    except BotError:
        return ""
    return Posted("p", to, None, "bot", shown).words if shown else ""


async def test_a_link_to_an_entry_of_everybodys_is_previewed(world: World) -> None:
    url = await entry(world, "pumps", TIP)
    words = await preview(world, "ben", url)
    for part in (TITLE, TIP, "Pumps", "looked after by Eva Lind", url):
        assert part in words
    for other in (f"{world.bot.settings.address}/entries/99", "https://elsewhere.example/entries/1", f"{url}x", ""):
        assert await preview(world, "ben", other) == ""


async def test_a_link_that_not_everybody_may_open_stays_a_link(world: World) -> None:
    """A private channel's entry everywhere; everybody's entry where outsiders read; either for a guest."""
    everybodys, private = await entry(world, "pumps", TIP), await entry(world, "people", BANDS)
    for place in ("a chat", "pumps", "people"):
        assert await preview(world, "ana", private, to=place) == ""
    assert TIP in await preview(world, "ana", everybodys, to="cloud")
    async with world.bot.store.transaction() as tx:
        await tx.session.execute(update(Channel).where(Channel.channel == "cloud").values(outsiders=True))
    assert await preview(world, "ana", everybodys, to="cloud") == ""
    world.chat.add_person("guest", "Gus Guest", guest=True)
    guest = Actor(world.chat, world.bot, "guest")
    await guest.joins("people")
    assert await preview(world, guest, everybodys) == await preview(world, guest, private, to="people") == ""


async def test_a_link_by_nobody_tells_nothing(world: World) -> None:
    """The same words for every entry, there or not."""
    url = await entry(world, "people", BANDS)
    words = await preview(world, None, url)
    assert "Knowledge in Weaver" in words
    assert TITLE not in words
    assert await preview(world, None, f"{world.bot.settings.address}/entries/4711") == words
    assert await preview(world, None, "https://elsewhere.example/entries/1") == ""
