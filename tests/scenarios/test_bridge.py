"""One community on two platforms: asked in one, prompted, answered, accepted and credited in the other."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from sqlalchemy import select

from bot import communities, experts
from bot.app import Bot, open_bot
from bot.models import Answer, Channel, Community, Entry, Membership, Mirror, Person, Question, Skill, Work
from bot.ports import BOARDS, DeliveryError, Heard, Message, Place, PlaceChanged
from bot.settings import load
from bot.store import Transaction
from expertise_index import HashEmbedder
from tests.scenarios.chat import Actor, FakeChat, MovableClock, Posted
from tests.scenarios.conftest import PEOPLE
from tests.scenarios.test_one_question import ANSWER, QUESTION

#: Who is where: Ben on one platform only, Chiara and Dev on the other only; Eva and Maud on both.
HERE, THERE = ("ana", "ben", "eva", "mod"), ("chiara", "dev", "eva", "mod")
OTHER = "Look at the suction line first, it may draw air."


@dataclass
class Bridge:
    """One organisation on two platforms, and a community with a channel on each."""

    bot: Bot
    clock: MovableClock
    chats: dict[str, FakeChat]

    def here(self, key: str) -> Actor:
        return Actor(self.chats["fake"], self.bot, key)

    def there(self, key: str) -> Actor:
        return Actor(self.chats["other"], self.bot, key)

    async def asks(self, button: str = "Ask under my name") -> tuple[Posted, Posted]:
        """Ana asks here; the question's card here, and the one there."""
        ana = self.here("ana")
        await ana.says(QUESTION)
        await ana.presses(button)
        return self.cards()

    def cards(self) -> tuple[Posted, Posted]:
        """The question as it stands on the two sides."""
        return self.here("ben").sees("gravel", to="pumps"), self.there("dev").sees("gravel", to="pumps")

    def said(self, chat: str, words: str = "") -> list[Posted]:
        """What stands in the channel there that has these words."""
        return [m for m in self.chats[chat].posted if m.channel == "pumps" and not m.deleted and words in m.words]

    async def closes(self, chat: str) -> None:
        """The channel on this side is made private."""
        self.chats[chat].add_channel("pumps", private=True, members=self.chats[chat].people)
        await self.changed(chat)

    async def changed(self, chat: str) -> None:
        """The platform says that something about the channel has changed."""
        fake = self.chats[chat]
        place, actor = fake.place_of("pumps"), fake.ref("mod")
        event = PlaceChanged(id=f"e{next(fake._ids)}", actor=actor, place=place, at=self.clock.now())
        await self.bot.dispatcher.handle(event)
        await self.bot.worker.settle()

    async def later(self, **by: float) -> None:
        """Time passes, and what is due is done."""
        for _ in range(3):
            self.clock.forward(**by)
            await self.bot.worker.settle()


@pytest.fixture
async def bridge(tmp_path: Path, database: str) -> AsyncIterator[Bridge]:
    here = FakeChat()
    there = FakeChat(name="other", site="other.example", workspace="acme-too", _ids=here._ids)
    chats, clock = {"fake": here, "other": there}, MovableClock()
    for chat, keys in ((here, HERE), (there, THERE)):
        for key in keys:
            chat.add_person(key, PEOPLE[key][0])
        chat.add_channel("pumps", members=keys)
    settings = load(home=tmp_path, database_url=database, suggest_at=0.3)
    async with open_bot(settings, clock=clock, embedder=HashEmbedder(), platforms=chats) as bot:
        await bot.store.run(lambda tx: found(tx, here, there))
        await bot.worker.settle()
        yield Bridge(bot, clock, chats)


async def found(tx: Transaction, *chats: FakeChat) -> None:
    """Introduce everybody, and found one community with a channel on each platform."""
    community = await tx.add(Community(slug="pumps", name="Pumps", domain="Pumps, cavitation, hydraulics"))
    known = dict[str, Person]()
    for chat in chats:
        for key, profile in chat.people.items():
            known[key] = await experts.introduce(tx, profile)
        (await communities.learn(tx, chat.channels["pumps"], ())).community_id = community.id
    for key, person in known.items():
        for topic in filter(None, PEOPLE[key][1].split(", ")):
            tx.session.add(Skill(person_id=person.id, topic=topic, source="declared"))
        await tx.later("index", f"people:{person.id}-{person.id}")
    tx.session.add(Membership(community_id=community.id, person_id=known["mod"].id, role="moderator"))
    await tx.later("index", f"communities:{community.id}-{community.id}")


# --- one conversation -------------------------------------------------------------------------------------------------


async def test_asked_here_answered_there_accepted_here(bridge: Bridge) -> None:
    """Each side sees the question once, and the answer once, under the name of who gave it."""
    ana, dev = bridge.here("ana"), bridge.there("dev")
    await ana.says(QUESTION)
    assert "It would stand in #pumps on Other, too" in ana.sees("I would post it").words
    await ana.presses("Ask under my name")
    asked, mirrored = bridge.cards()
    assert "Also in #pumps on Other. Replies are shown in both." in asked.words
    assert "Also in #pumps on Fake." in mirrored.words
    await dev.says(ANSWER, to="pumps", thread=mirrored.id)
    shown = bridge.here("ben").sees("Dev Patel answers")
    assert (shown.channel, shown.thread) == ("pumps", asked.id)
    assert ANSWER in ana.sees("Dev Patel answered your question").words
    await ana.presses("This answers it", on="Dev Patel answered your question")
    assert "Accepted answer" in shown.words
    for card in (asked, mirrored):
        assert "✓ Answered by Dev Patel" in card.words
    assert "under your name" in dev.sees("Your answer was accepted").words
    assert [len(bridge.said(chat, "gravel")) for chat in bridge.chats] == [1, 1]
    assert [len(bridge.said(chat, ANSWER)) for chat in bridge.chats] == [1, 1]
    async with bridge.bot.store.reading() as tx:
        (entry,) = await tx.all(select(Entry))
        owner = await tx.session.get_one(Person, entry.owner_id)
    assert (entry.link, owner.name) == (f"https://chat.example/pumps/{asked.id}", "Dev Patel")


async def test_asked_there_answered_here_accepted_by_a_reaction_there(bridge: Bridge) -> None:
    """The other way round: the home is where it was asked, and pointing at the copy means the answer."""
    chiara, ben = bridge.there("chiara"), bridge.here("ben")
    await chiara.says(QUESTION)
    await chiara.presses("Ask under my name")
    mirrored, asked = bridge.cards()
    await ben.says(ANSWER, to="pumps", thread=mirrored.id)
    shown = bridge.there("dev").sees("Ben Okafor answers")
    assert shown.thread == asked.id
    await chiara.reacts("white_check_mark", shown)
    assert "Accepted answer" in shown.words
    for card in (asked, mirrored):
        assert "✓ Answered by Ben Okafor" in card.words
    ben.sees("Your answer was accepted")
    async with bridge.bot.store.reading() as tx:
        assert [entry.link for entry in await tx.all(select(Entry))] == [f"https://other.example/pumps/{asked.id}"]


async def test_a_moderator_accepts_on_the_other_side(bridge: Bridge) -> None:
    """By the button on the copy, and by "this answers it" on a message too short to be taken for an answer."""
    asked, mirrored = await bridge.asks()
    await bridge.here("ben").says(ANSWER, to="pumps", thread=asked.id)
    await bridge.there("mod").presses("This answers it", on="Ben Okafor answers")
    assert "✓ Answered by Ben Okafor" in asked.words
    short = await bridge.there("dev").says("port 8080", to="pumps", thread=mirrored.id)
    assert bridge.said("fake", "8080") == []
    await bridge.there("mod").points("accept", short)
    assert "Accepted answer" in bridge.here("ben").sees("Dev Patel answers").words


async def test_experts_are_asked_where_they_are(bridge: Bridge) -> None:
    """With the way to the thread they can open; what they answer stands on both sides, once."""
    asked, mirrored = await bridge.asks()
    ben, chiara, dev = bridge.here("ben"), bridge.there("chiara"), bridge.there("dev")
    assert f"(https://chat.example/pumps/{asked.id})" in ben.sees("you may know").words
    prompted = [who for who in (chiara, dev) if any("you may know" in m.words for m in who.chat.visible(who.id))]
    for who in prompted:
        assert f"(https://other.example/pumps/{mirrored.id})" in who.sees("you may know").words
    form = await prompted[0].presses("Answer", on="you may know")
    await prompted[0].fills(form, answer=ANSWER)
    for chat, card in (("fake", asked), ("other", mirrored)):
        (shown,) = bridge.said(chat, ANSWER)
        assert shown.thread == card.id
    await bridge.there("mod").presses("This answers it", on=ANSWER)
    for chat in bridge.chats:
        assert "Accepted answer" in bridge.said(chat, ANSWER)[0].words


async def test_one_person_on_both_sides(bridge: Bridge) -> None:
    """Eva is asked once, where the question was; what she writes on the other side is her answer, and what an asker
    writes there is the asker's."""
    _asked, mirrored = await bridge.asks()
    prompts = [m for chat in bridge.chats.values() for m in chat.visible("eva") if "you may know" in m.words]
    await bridge.there("eva").says(ANSWER, to="pumps", thread=mirrored.id)
    bridge.here("ben").sees("Eva Lind answers")
    assert len(prompts) == 1
    assert "Thank you. Your answer is in the thread" in prompts[0].words

    eva = bridge.here("eva")
    await eva.says("Which grease withstands the heat in the dryer of hall two?")
    await eva.presses("Ask under my name")
    there = bridge.there("dev").sees("hall two", to="pumps")
    await bridge.there("eva").says("It runs at two hundred degrees.", to="pumps", thread=there.id)
    assert "Eva Lind adds" in bridge.here("ben").sees("two hundred degrees").words


async def test_what_an_asker_adds_and_misses_stands_on_both_sides(bridge: Bridge) -> None:
    asked, mirrored = await bridge.asks()
    ana = bridge.here("ana")
    await bridge.there("dev").says(ANSWER, to="pumps", thread=mirrored.id)
    form = await ana.presses("Something is missing")
    await ana.fills(form, missing="And what does it do to the seals?")
    for chat, card in (("fake", asked), ("other", mirrored)):
        (missing,) = bridge.said(chat, "still needs to know")
        assert missing.thread == card.id
    added = await ana.says("The pump stands outside, by the way.", to="pumps", thread=asked.id)
    shown = bridge.there("dev").sees("Ana Duarte adds")
    assert shown.thread == mirrored.id
    await ana.edits(added, "The pump stands inside, by the way.")
    assert "inside" in shown.words
    await ana.deletes(added)
    assert shown.deleted
    assert bridge.said("fake", "Ana Duarte adds") == []


async def test_edits_and_deletions_follow(bridge: Bridge) -> None:
    """From the side where they were written to the other, and into the entry."""
    asked, mirrored = await bridge.asks()
    ben, dev = bridge.here("ben"), bridge.there("dev")
    first = await ben.says(ANSWER, to="pumps", thread=asked.id)
    second = await dev.says(OTHER, to="pumps", thread=mirrored.id)
    there, here = dev.sees("Ben Okafor answers"), ben.sees("Dev Patel answers")
    await bridge.here("ana").presses("This answers it", on="Dev Patel answered")
    await dev.edits(second, OTHER + " Then the valve.")
    assert "Then the valve" in here.words
    await ben.edits(first, ANSWER + " And the strainer.")
    assert "And the strainer" in there.words
    await dev.deletes(second)
    assert here.deleted
    await ben.deletes(first)
    assert there.deleted
    async with bridge.bot.store.reading() as tx:
        assert [entry.state for entry in await tx.all(select(Entry))] == ["retired"]
    for card in (asked, mirrored):
        assert "Open: reply in the thread" in card.words


async def test_me_too_counts_on_both_sides(bridge: Bridge) -> None:
    cards = await bridge.asks()
    await bridge.there("dev").presses("Me too")
    await bridge.here("ben").reacts("raising_hand", cards[0])
    for card in cards:
        assert "2 more have the same question" in card.words
    await bridge.there("chiara").says(ANSWER, to="pumps", thread=cards[1].id)
    await bridge.here("ana").presses("This answers it", on="Chiara Rossi answered")
    for who, card, site in ((bridge.here("ben"), cards[0], "chat"), (bridge.there("dev"), cards[1], "other")):
        (link,) = [b.url for b in who.sees("A question you follow was answered").buttons]
        assert link == f"https://{site}.example/pumps/{card.id}"


async def test_an_answer_is_kept_once_wherever_one_points_at_it(bridge: Bridge) -> None:
    asked, _ = await bridge.asks()
    said = await bridge.here("ben").says(ANSWER, to="pumps", thread=asked.id)
    copy = bridge.there("dev").sees("Ben Okafor answers")
    await bridge.there("mod").reacts("pushpin", copy)
    form = await bridge.here("mod").points("save", said)
    assert form is None  # kept already
    async with bridge.bot.store.reading() as tx:
        (entry,) = await tx.all(select(Entry))
    assert entry.link == f"https://chat.example/pumps/{said.id}"
    await bridge.here("ben").deletes(said)
    async with bridge.bot.store.reading() as tx:
        assert [entry.state for entry in await tx.all(select(Entry))] == ["retired"]


async def test_an_anonymous_asker_is_named_on_neither_side(bridge: Bridge) -> None:
    asked, mirrored = await bridge.asks("Ask anonymously")
    for card in (asked, mirrored):
        assert "A colleague asks" in card.words
    await bridge.here("ana").says("The pump stands outside, by the way.", to="pumps", thread=asked.id)
    [passed_on] = bridge.said("other", "outside")  # with her name, as she wrote it: like anybody who answers
    assert passed_on.words.startswith("Ana Duarte answers")
    assert not any("Ana" in posted.words for posted in bridge.said("other", "asks"))


# --- no loop, no double post ------------------------------------------------------------------------------------------


async def test_the_bots_own_words_are_no_answer(bridge: Bridge) -> None:
    """A platform gives back what the bot posted, as if somebody had said it."""
    asked, _ = await bridge.asks()
    await bridge.here("ben").says(ANSWER, to="pumps", thread=asked.id)
    before = [len(chat.posted) for chat in bridge.chats.values()]
    for name, chat in bridge.chats.items():
        for posted in [m for m in chat.posted if m.author == "bot" and m.channel == "pumps"]:
            await bridge.bot.dispatcher.handle(
                Heard(id=f"e{next(chat._ids)}", actor=chat.ref("mod"), place=chat.place_of("pumps", posted.thread),
                      at=bridge.clock.now(), message_id=posted.id, text=f"{name} says once more: {posted.words}")
            )  # fmt: skip
    await bridge.bot.worker.settle()
    assert [len(chat.posted) for chat in bridge.chats.values()] == before
    async with bridge.bot.store.reading() as tx:
        assert len(await tx.all(select(Answer))) == 1


async def test_lost_answers_of_a_platform_bring_nothing_twice(bridge: Bridge) -> None:
    """Each message was taken, and its sender killed before that was on record: it is looked for, and found."""
    for chat in bridge.chats.values():
        chat.late_faults = [DeliveryError("lost", retry_after=1) for _ in range(3)]
    ana = bridge.here("ana")
    await ana.says(QUESTION)
    await bridge.later(minutes=1)
    await ana.presses("Ask under my name")
    await bridge.later(minutes=1)
    asked, mirrored = bridge.cards()
    for chat in bridge.chats.values():
        chat.late_faults = [DeliveryError("lost", retry_after=1) for _ in range(3)]
    await bridge.there("dev").says(ANSWER, to="pumps", thread=mirrored.id)
    await bridge.here("ben").says(OTHER, to="pumps", thread=asked.id)
    await bridge.later(minutes=1)
    for words in ("gravel", ANSWER, OTHER):
        assert [len(bridge.said(chat, words)) for chat in bridge.chats] == [1, 1]


async def test_a_reply_may_be_faster_than_the_record_of_its_thread(bridge: Bridge) -> None:
    """Dev answers while the platform has not yet said that it took the card."""
    there = bridge.chats["other"]

    async def replies() -> None:
        card = next(m for m in there.posted if m.channel == "pumps")
        posted = there.put("pumps", card.id, "dev", ANSWER)
        place = there.place_of("pumps", card.id)
        heard = Heard(id="early", actor=there.ref("dev"), place=place, at=bridge.clock.now(), message_id=posted.id,
                      text=ANSWER)  # fmt: skip
        await bridge.bot.dispatcher.handle(heard)

    send = there.send

    async def first_in_channel(place: Place, message: Message, *, delivery_id: str) -> str:
        if place.channel == "pumps":
            there.send = send  # type: ignore[method-assign]
            there.while_sending = replies
        return await send(place, message, delivery_id=delivery_id)

    there.send = first_in_channel  # type: ignore[method-assign]
    await bridge.asks()
    await bridge.later(seconds=5)
    assert len(bridge.said("fake", "Dev Patel answers")) == 1


async def test_one_side_is_down_for_an_hour(bridge: Bridge) -> None:
    """The other is not held up; what was said meanwhile follows as it is by then, once, in order."""
    there = bridge.chats["other"]
    send = there.send

    async def down(place: Place, message: Message, *, delivery_id: str) -> str:
        raise DeliveryError("down", retry_after=300)

    there.send = down  # type: ignore[method-assign]
    ana, ben = bridge.here("ana"), bridge.here("ben")
    await ana.says(QUESTION)
    await ana.presses("Ask under my name")
    asked = ben.sees("gravel", to="pumps")
    assert "Also in" not in asked.words  # it is not there yet
    first = await ben.says(ANSWER, to="pumps", thread=asked.id)
    gone = await bridge.here("eva").says("It is surely the motor, I think.", to="pumps", thread=asked.id)
    form = await ana.presses("Something is missing", on="Ben Okafor answered")
    await ana.fills(form, missing="And what does it do to the seals?")
    await ben.edits(first, ANSWER + " And the strainer.")
    await bridge.here("eva").deletes(gone)
    await bridge.later(minutes=20)
    there.send = send  # type: ignore[method-assign]
    await bridge.later(minutes=10)
    card, *thread = bridge.said("other")
    assert "Also in #pumps on Fake" in card.words
    assert "Also in #pumps on Other" in asked.words
    assert [m.thread for m in thread] == [card.id, card.id]
    assert "And the strainer" in thread[0].words
    assert "still needs to know" in thread[1].words
    bridge.there("chiara").sees("you may know")


async def test_a_channel_the_bot_was_removed_from_holds_nobody_up(bridge: Bridge) -> None:
    """Neither a mirror nor the home itself: people on the other side go on."""
    asked, mirrored = await bridge.asks()
    await bridge.there("dev").says(ANSWER, to="pumps", thread=mirrored.id)
    here = bridge.chats["fake"]
    here.channels["pumps"] = replace(here.channels["pumps"], archived=True)
    await bridge.changed("fake")
    await bridge.there("chiara").says(OTHER, to="pumps", thread=mirrored.id)
    bridge.here("ana").sees("Chiara Rossi answered your question")
    await bridge.here("ana").presses("This answers it", on="Chiara Rossi answered")
    assert "✓ Answered by Chiara Rossi" in mirrored.words
    assert bridge.said("fake", OTHER) == []
    async with bridge.bot.store.reading() as tx:
        assert await tx.all(select(Work).where(Work.failed)) == []
    assert asked.id


# --- who may read it --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("closed", ["fake", "other"])
async def test_a_channel_made_private_is_cut_off(bridge: Bridge, closed: str) -> None:
    """What is there stays; nothing goes in or out any more, and who writes learns it. What is removed is removed."""
    asked, mirrored = await bridge.asks()
    before = await bridge.here("ben").says(ANSWER, to="pumps", thread=asked.id)
    await bridge.closes(closed)
    assert "Ben Okafor answers" in bridge.there("dev").sees(ANSWER).words
    await bridge.here("ben").says("Here is something else that I know.", to="pumps", thread=asked.id)
    assert bridge.said("other", "something else") == []
    await bridge.there("dev").says("There is more that I could tell.", to="pumps", thread=mirrored.id)
    assert bridge.said("fake", "could tell") == []
    bridge.there("dev").sees("I pass nothing on between them")
    await bridge.here("ben").edits(before, ANSWER + " Changed behind closed doors.")
    assert bridge.said("other", "closed doors") == []
    await bridge.here("ben").deletes(before)
    assert bridge.said("other", ANSWER) == []


@pytest.mark.parametrize("closed", ["fake", "other"])
async def test_what_waits_while_a_channel_is_made_private_stays(bridge: Bridge, closed: str) -> None:
    """Also a change to what was sent before."""
    asked, _ = await bridge.asks()
    said = await bridge.here("ben").says(ANSWER, to="pumps", thread=asked.id)
    there = bridge.chats["other"]
    there.faults = [DeliveryError("down", retry_after=60) for _ in range(20)]
    await bridge.here("ben").edits(said, ANSWER + " Strictly between us.")
    await bridge.here("eva").says("I have heard of that, too.", to="pumps", thread=asked.id)
    await bridge.closes(closed)
    there.faults.clear()
    await bridge.later(hours=1)
    assert bridge.said("other", "Strictly between us") == []
    assert bridge.said("other", "heard of that") == []


async def test_a_card_that_waits_while_its_channel_is_made_private_is_given_up(bridge: Bridge) -> None:
    there = bridge.chats["other"]
    there.faults = [DeliveryError("down", retry_after=60) for _ in range(20)]
    await bridge.here("ana").says(QUESTION)
    await bridge.here("ana").presses("Ask under my name")
    await bridge.closes("other")
    there.faults.clear()
    await bridge.later(hours=1)
    assert bridge.said("other") == []
    async with bridge.bot.store.reading() as tx:
        assert await tx.all(select(Mirror)) == []


@pytest.mark.parametrize("closed", ["fake", "other"])
@pytest.mark.parametrize("how", ["private", "outsiders"])
async def test_only_what_everybody_reads_is_mirrored(bridge: Bridge, closed: str, how: str) -> None:
    """Neither from nor into a private channel, or one that another organisation reads."""
    if how == "private":
        await bridge.closes(closed)
    else:
        chat = bridge.chats[closed]
        chat.channels["pumps"] = replace(chat.channels["pumps"], outsiders=True)
        await bridge.changed(closed)
    await bridge.here("ana").says(QUESTION)
    assert "on Other, too" not in bridge.here("ana").sees("I would post it").words
    await bridge.here("ana").presses("Ask under my name")
    assert len(bridge.said("fake", "gravel")) == 1
    assert bridge.said("other") == []


async def test_once_in_each_workspace(bridge: Bridge) -> None:
    """People see all public channels of their workspace: a second channel there would say it to them twice. A board is
    no channel at all."""
    for chat in bridge.chats.values():
        chat.add_channel("pumps-too")

    async def more(tx: Transaction) -> None:
        community = await tx.first(select(Community))
        for chat in bridge.chats.values():
            (await communities.learn(tx, chat.channels["pumps-too"], ())).community_id = community.id
        await tx.add(
            Channel(platform="other", workspace=BOARDS, channel="wall", private=False, community_id=community.id)
        )

    await bridge.bot.store.run(more)
    await bridge.asks()
    for chat in bridge.chats.values():
        assert [m.channel for m in chat.posted if "gravel" in m.words and not m.channel.startswith("dm-")] == ["pumps"]
    async with bridge.bot.store.reading() as tx:
        assert [mirror.channel for mirror in await tx.all(select(Mirror))] == ["pumps"]
        assert (await tx.first(select(Question))).channel == "pumps"
