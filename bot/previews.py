"""Links to knowledge entries, shown as previews where everybody who reads the place may see the entry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import astuple

from bot import communities, knowledge, replies_knowledge
from bot.addresses import Addresses
from bot.models import Person
from bot.ports import ChatPlatform, LinkShared, Message, Place
from bot.store import Store, Transaction

MOST = 5


async def shared(tx: Transaction, person: Person, event: LinkShared, addresses: Addresses) -> None:
    """Somebody shared addresses: those of entries get their previews, later."""
    urls = [url for url in dict.fromkeys(event.urls) if addresses.entry_of(url) is not None][:MOST]
    if urls:
        where = {"urls": urls, "person": person.id, "at": astuple(event.place), "message": event.message_id}
        await tx.later("unfurl", event.id, knowing=where)


async def unfurl(store: Store, platforms: Mapping[str, ChatPlatform], addresses: Addresses, event_id: str) -> None:
    """Show the previews. Who may see them is asked now, of the database."""
    async with store.reading() as tx:
        known = await tx.known_for("unfurl", event_id)
        place = Place(*known["at"])
        channel = await tx.channel_at(place)
    platform = platforms[place.platform]
    if channel is None:
        try:
            if not (await platform.place(place.root)).direct:
                return
        except LookupError:
            return
    async with store.reading() as tx:
        person = await tx.session.get_one(Person, known["person"])
        spaces = await tx.readable(person)
        if channel:
            spaces &= await communities.readers_see(tx, channel)
        ids = {url: key for url in known["urls"] if (key := addresses.entry_of(url)) is not None}
        seen = await knowledge.shown(tx, spaces, ids.values())
        previews: dict[str, Message] = {
            url: replies_knowledge.preview(seen[entry_id], tx.now, address=addresses.entry(entry_id))
            for url, entry_id in ids.items()
            if entry_id in seen
        }
    if previews:
        await platform.unfurl(place, known["message"], previews)
