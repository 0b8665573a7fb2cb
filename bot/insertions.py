"""Knowledge that somebody puts into a message they are writing to others.

They are offered what they may see. What goes in is seen by whoever reads there, and the platform does not say who that
is: so the whole of an entry goes in only if it is everybody's in the organisation, and nothing is known that speaks
against it. Of all others the title goes in, with a link, if the writer chose it; a link alone stays a link.
"""

from __future__ import annotations

from collections.abc import Sequence

from bot import communities, knowledge, questions, replies_knowledge
from bot.acquaintance import Acquaintance
from bot.addresses import Addresses
from bot.errors import BotError, NotAllowed
from bot.models import ORG, Person
from bot.ports import Insertable, Message, PersonRef, Place
from bot.replies import excerpt
from bot.store import Store, Transaction
from expertise_index import ExpertiseIndex

LEAST = 2  # characters of a search
SAY_MORE = "Type two letters or more of a topic, and I show what colleagues have worked out."
LOADING = "I have just been started and am still loading what I know. Try again in a minute."
NOTHING = "I found nothing on that among what you may see. Ask it as a question, and I find you somebody."
MEMBERS_ONLY = "Knowledge is for members of the organisation, so I can show you none here."
ONLY_TITLE = "Only its title and a link go in: not everybody may read it."


class Insertions:
    """`bot.ports.Composer`."""

    def __init__(
        self, store: Store, index: ExpertiseIndex, acquaintance: Acquaintance, *, addresses: Addresses
    ) -> None:
        self._store = store
        self._index = index
        self._acquaintance = acquaintance
        self._addresses = addresses

    async def search(self, writer: PersonRef, place: Place, text: str) -> Sequence[Insertable]:
        """What the writer may insert about `text`, best first. Raises `BotError` where there is nothing to show."""
        if len(questions.typed(text)) < LEAST or questions.wordless(text):
            raise BotError(SAY_MORE)
        text = questions.readable_question(text)
        person = await self._member(writer)
        if not self._index.embedder.ready:
            raise BotError(LOADING)
        found = await knowledge.search(self._store, self._index, person, text)
        if not found:
            raise BotError(NOTHING)
        made = []
        async with self._store.reading() as tx:
            whole = await knowledge.shown(tx, await _everybodys(tx, place), [past.entry_id for past in found])
            for past in found:
                title, address = excerpt(past.title, 100), self._addresses.entry(past.entry_id)
                if past.entry_id in whole:
                    seen = whole[past.entry_id]  # as any reader sees it
                    hint = f"{seen.community}: {excerpt(' '.join(seen.answer.split()), 120)}"
                    message = replies_knowledge.preview(seen, tx.now, address=address)
                else:
                    hint, message = ONLY_TITLE, replies_knowledge.by_title(past.title, address=address)
                made.append(Insertable(title=title, hint=hint, message=message))
        return made

    async def preview(self, writer: PersonRef | None, place: Place, url: str) -> Message | None:
        """The preview of a link to an entry that all may read; None for every other. Raises `BotError` as `search`.

        To a writer who is not named it says no more than the link does: not even whether there is such an entry.
        """
        entry_id = self._addresses.entry_of(url)
        if entry_id is None:
            return None
        address = self._addresses.entry(entry_id)
        if writer is None:
            return replies_knowledge.unopened(address)
        person = await self._member(writer)
        async with self._store.reading() as tx:
            spaces = await tx.readable(person) & await _everybodys(tx, place)
            seen = (await knowledge.shown(tx, spaces, [entry_id])).get(entry_id)
            return replies_knowledge.preview(seen, tx.now, address=address) if seen else None

    async def _member(self, writer: PersonRef) -> Person:
        """Who writes. Raises `BotError` for anybody from outside the organisation, and for who has left."""
        person = await self._acquaintance.who(writer)
        if person.guest or not person.active:
            raise NotAllowed(MEMBERS_ONLY)
        return person


async def _everybodys(tx: Transaction, place: Place) -> frozenset[str]:
    """The spaces of which all may be shown here. What is known of the place narrows them, and never widens: a card may
    be kept by the platform, or moved by the writer, and be read elsewhere."""
    channel = await tx.channel_at(place)
    return frozenset({ORG}) & await communities.readers_see(tx, channel) if channel else frozenset({ORG})
