"""What waits, or is shown again, while who may see it changes: nobody gets more than they may see by then."""

from __future__ import annotations

from collections.abc import Callable, Collection

from sqlalchemy import select

from bot.models import Account, Question, SeenEvent, Suggestion
from bot.ports import DeliveryError, Message, PersonRef, Place, Pressed
from tests.scenarios.chat import Actor
from tests.scenarios.conftest import World
from tests.scenarios.test_acquaintance import an_entry, place_changed
from tests.scenarios.test_attacks_on_places import LEAVE, ask_in_people
from tests.scenarios.test_bad_input import event_of
from tests.scenarios.test_founding import opens
from tests.scenarios.test_one_question import QUESTION
from tests.scenarios.test_saving import TIP, TITLE, save

SECRET = "Is the suction valve with pump noise and gravel why Dora was dismissed?"


def outage(world: World, *, person: str = "", channel: str = "") -> Callable[[], None]:
    """Nothing reaches this person in private, or this channel, until what is returned is called."""
    direct, send = world.chat.direct, world.chat.send

    async def no_way(ref: PersonRef) -> Place:
        if ref.id == person:
            raise DeliveryError("down", retry_after=60)
        return await direct(ref)

    async def no_post(place: Place, message: Message, *, delivery_id: str) -> str:
        if place.channel == channel:
            raise DeliveryError("down", retry_after=60)
        return await send(place, message, delivery_id=delivery_id)

    world.chat.direct, world.chat.send = no_way, no_post  # type: ignore[method-assign]

    def over() -> None:
        world.chat.direct, world.chat.send = direct, send  # type: ignore[method-assign]

    return over


async def hours_later(world: World) -> None:
    """Whatever was to be tried again has been."""
    for _ in range(3):
        world.clock.forward(hours=2)
        await world.settle()


async def closes(world: World, channel: str, members: Collection[str]) -> None:
    """A channel is made private."""
    world.chat.add_channel(channel, private=True, members=members)
    await place_changed(world, channel)


async def opened(world: World, channel: str) -> None:
    """A private channel is made public."""
    world.chat.add_channel(channel, members=("ana", "mod", "eva"))
    await place_changed(world, channel)


async def told(world: World, who: str) -> str:
    """All that somebody has been told in private."""
    return "\n".join(posted.words for posted in world.chat.posted if posted.channel == f"dm-{who}")


async def a_secret(world: World, community: str = "Pumps") -> None:
    """What was said in the private channel, kept as knowledge of its members."""
    said = await world.be("eva").says("Yes, that is the reason, sadly, and no other one.", to="people")
    form = await world.be("mod").points("save", said)
    assert form is not None
    await world.be("mod").fills(form, title=SECRET, community=community_of(form, community))


def community_of(form: object, label: str) -> str:
    choice = next(item for item in form.inputs if item.name == "community")  # type: ignore[attr-defined]
    found = next(option.value for option in choice.options if option.label == label)
    assert isinstance(found, str)
    return found


async def test_prompt_waits_while_the_channel_closes(world: World) -> None:
    """Ben is not in it any more: he gets nothing, and the next best is asked for him."""
    over = outage(world, person="ben")
    ana = world.be("ana")
    await ana.says(QUESTION)
    await ana.presses("Ask under my name")
    await closes(world, "pumps", ("ana", "mod"))
    over()
    await hours_later(world)
    assert "gravel" not in await told(world, "ben")
    assert "gravel" in await told(world, "mod")


async def test_prompt_waits_while_its_past_answer_is_closed(world: World) -> None:
    """The prompt comes, without the past answer that Ben may not see any more."""
    ana = world.be("ana")
    await save(world, "mod", await world.be("eva").says(TIP, to="cloud"), title=QUESTION)
    over = outage(world, person="ben")
    await ana.says(QUESTION)
    await ana.presses("Ask the experts")
    form = await ana.presses("Change …")
    await ana.fills(form, community=community_of(form, "Pumps"))
    await ana.presses("Ask under my name")
    assert TIP in world.be("chiara").sees("you may know").words
    await closes(world, "cloud", ("ana", "eva", "mod"))
    over()
    await hours_later(world)
    card = world.be("ben").sees("you may know").words
    assert "gravel" in card
    assert TIP not in card


async def test_thanks_wait_while_the_channel_closes(world: World) -> None:
    """Ben does not hear of an entry he may not see."""
    await an_entry(world)
    over = outage(world, person="ben")
    await world.be("mod").says(QUESTION)
    await world.be("mod").presses("This solved it")
    before = await told(world, "ben")
    await closes(world, "pumps", ("ana", "mod"))
    over()
    await hours_later(world)
    assert await told(world, "ben") == before


async def test_past_answers_wait_while_somebody_leaves(world: World) -> None:
    """Neither suggestions nor what a search found; and the asker is not left without an answer."""
    await a_secret(world)
    eva = world.be("eva")
    over, before = outage(world, person="eva"), len(await told(world, "eva"))
    await eva.says(SECRET)
    await eva.commands("know", SECRET)
    await eva.leaves("people")
    over()
    await hours_later(world)
    said = (await told(world, "eva"))[before:]
    assert "no other one" not in said
    assert "not yours to read any more" in said
    assert "I would post it in" in said


async def test_question_waits_while_its_channel_is_opened(world: World) -> None:
    """It was for the members: it is not posted for everybody, and Ana is asked again."""
    over = outage(world, channel="people")
    ana, out = world.be("ana"), world.be("out")
    await ask_in_people(world)
    await opened(world, "people")
    over()
    await hours_later(world)
    out.sees_nothing_of("salary band")
    assert "has changed since" in ana.sees("I would post it").words
    await ana.presses("Ask under my name")
    assert "salary band" in out.sees("Ana Duarte asks", to="people").words


async def test_share_waits_while_a_guest_comes(world: World) -> None:
    """What the organisation knows is not posted where a guest reads it, and Eva hears that it was not."""
    await an_entry(world)
    eva = world.be("eva")
    await eva.says(QUESTION, to="people", bot=True)
    over = outage(world, channel="people")
    await eva.presses("Share in #people")
    world.chat.add_person("guest", "Gus Guest", guest=True)
    await world.be("guest").joins("people")
    over()
    await hours_later(world)
    assert not [posted for posted in world.chat.posted if posted.channel == "people" and "cavitation" in posted.words]
    eva.sees("I could not share that past answer")


async def test_share_names_no_privatecommunity_of(world: World) -> None:
    """An entry that everybody may see, of a community that they may not know of any more."""
    eva, mod, out = world.be("eva"), world.be("mod"), world.be("out")
    form = await mod.points("save", await world.be("ben").says(TIP, to="pumps"))
    await mod.fills(form, title=TITLE, community=community_of(form, "Cloud"))
    await closes(world, "cloud", ("eva", "mod"))
    await eva.says(TITLE, to="pumps", bot=True)
    assert "Cloud" in eva.sees("may have been answered").words
    await eva.presses("Share in #pumps")
    assert TIP in out.sees("found this past answer useful", to="pumps").words
    assert "Cloud" not in out.sees("found this past answer useful", to="pumps").words


async def test_reasons_are_told_anew_to_who_has_left(world: World) -> None:
    """The preview quoted a title of #people; after leaving, no preview does, whatever is changed."""
    await a_secret(world)
    ana = world.be("ana")
    await ana.says("Why does a suction valve with pump noise and gravel shake?")
    await ana.presses("Ask the experts")
    assert "Dora" in ana.sees("I would post it").words
    await ana.leaves("people")
    for community in ("Pumps", "Cloud"):
        form = await ana.presses("Change …")
        assert form is not None
        await ana.fills(form, text="Why does a suction valve shake?", community=community_of(form, community))
        assert "Dora" not in ana.sees("I would post it").words


async def test_reasons_do_not_tell_where_an_anonymous_asker_is(world: World) -> None:
    """Eva is asked because of an answer in #people, which Ana reads: in #pumps that is no reason to be told."""
    await a_secret(world)
    ana = world.be("ana")
    await ana.says("Why does a suction valve with pump noise and gravel shake?")
    await ana.presses("Ask the experts")
    form = await ana.presses("Change …")
    assert form is not None
    await ana.fills(form, community=community_of(form, "Pumps"), also=("eva",))
    await ana.presses("Ask anonymously")
    card = world.be("eva").sees("you may know").words
    assert "Dora" not in card.partition("A similar past answer")[0]


async def test_an_old_button_agrees_to_nothing_new(world: World) -> None:
    """The channel is opened, the preview says so, and a second press of the button of before posts nothing."""
    ana = world.be("ana")
    await ana.says(LEAVE)
    form = await ana.presses("Change …")
    assert form is not None
    await ana.fills(form, community=community_of(form, "People practice"), experts=())
    [old] = [button.value for button in ana.sees("I would post it").buttons if button.action == "post"]
    await opened(world, "people")
    for number in range(2):
        await presses(ana, "post", old, number)
        world.be("out").sees_nothing_of("salary band")
    await ana.presses("Ask under my name")
    world.be("out").sees("Ana Duarte asks", to="people")


async def presses(actor: Actor, action: str, value: str, number: int) -> None:
    await actor.bot.dispatcher.handle(event_of(actor, Pressed, f"{action}{number}", action=action, value=value))
    await actor.bot.worker.settle()


async def test_who_left_does_not_write_into_the_thread_by_a_card(world: World) -> None:
    """Neither by replying to the card of an answer."""
    await ask_in_people(world)
    ana, eva = world.be("ana"), world.be("eva")
    await eva.says("Thirty days are given, as I know.", thread=eva.sees("you may know").id)
    card = ana.sees("Eva Lind answered your question")
    await ana.leaves("people")
    await ana.says("And what of the band above, please?", thread=card.id)
    world.be("mod").sees_nothing_of("band above")
    ana.sees("in a channel you are not in")


async def test_hidden_is_as_missing(world: World) -> None:
    """What others ask in a private channel answers like what was never asked."""
    await ask_in_people(world)
    eva, ben = world.be("eva"), world.be("ben")
    await eva.says("Thirty days are given, as I know.", thread=eva.sees("you may know").id)
    await world.be("ana").presses("This answers it")
    for action in ("answer", "me_too", "accept", "missing", "read", "publish", "retire", "edit_entry"):
        said = []
        for number, value in enumerate(("1", "999")):
            await presses(ben, action, value, number)
            said.append(ben.chat.visible("ben")[-1].words)
        assert said[0] == said[1], action


async def test_nothing_stays_that_leads_to_who_asked(world: World) -> None:
    """What was shown to an anonymous asker is forgotten; ids of events are hashed; when somebody acted is not kept."""
    await an_entry(world)
    eva = world.be("eva")
    await eva.says(QUESTION)
    await eva.presses("Ask the experts")
    await eva.presses("Ask anonymously")
    async with world.bot.store.reading() as tx:
        question = await tx.first(select(Question).where(Question.anonymous))
        assert await tx.first(select(Suggestion).where(Suggestion.question_id == question.id)) is None
        assert all(len(key) == 40 for key in await tx.all(select(SeenEvent.id)))
        times = await tx.all(select(Account.checked_at).where(Account.checked_at.is_not(None)))
        assert {(at.hour, at.minute) for at in times} == {(0, 0)}


async def test_nobody_founds_where_they_are_not(world: World) -> None:
    """The form is for one person and one channel: handed to somebody else, it is no form any more."""
    world.chat.add_channel("bees", members=("ana", "ben"))
    form = await opens(world.be("ana"), "bees")
    assert form is not None
    await world.be("ben").fills(form, name="Beekeeping", domain="Bees, swarms, honey, hives")
    world.be("ben").sees("I do not know that any more")
    assert "Beekeeping" not in await told(world, "ana")


async def test_preview_waits_while_its_asker_leaves(world: World) -> None:
    """It was for #people and quoted what is said there: Ana gets one for where she is."""
    await a_secret(world, "People practice")
    ana = world.be("ana")
    await ana.says("Is the suction valve with pump noise and gravel why somebody was dismissed?")
    over = outage(world, person="ana")
    await ana.presses("Ask the experts")
    await ana.leaves("people")
    over()
    await hours_later(world)
    assert "Dora" not in (await told(world, "ana")).rpartition("I would post it")[2]
    assert "I would post it in #people" not in await told(world, "ana")
    ana.sees("I would post it")


async def test_lists_wait_while_somebody_leaves(world: World) -> None:
    """Of what waits for Eva, and of what she may have answered just now: her words are kept as a question."""
    over = outage(world, person="eva")
    eva, before = world.be("eva"), await told(world, "eva")
    await ask_in_people(world)
    await eva.says("mine", to="pumps", bot=True)
    await eva.says("mine")
    await eva.says("Where is the canteen on Mondays, please?")
    await eva.leaves("people")
    over()
    await hours_later(world)
    said = (await told(world, "eva")).removeprefix(before)
    assert "salary band" not in said
    assert "not yours to read any more" in said
    assert "canteen" in eva.sees("I would post it").words


async def test_what_became_of_an_entry_waits_while_its_author_leaves(world: World) -> None:
    """Eva is told of a decision, but not of one in a channel she is not in any more."""
    ana, eva, mod = world.be("ana"), world.be("eva"), world.be("mod")
    over = outage(world, person="eva")
    for channel, button in (("pumps", "Discard"), ("people", "Publish")):
        form = await ana.points("save", await eva.says(f"{TIP} That holds in {channel}.", to=channel))
        assert form is not None
        await ana.fills(form, title=f"What holds in {channel}?", community=community_of(form, "Cloud"))
        await mod.presses(button, on=f"What holds in {channel}?")
    await eva.leaves("people")
    over()
    await hours_later(world)
    said = await told(world, "eva")
    assert "Your answer was not kept as knowledge" in said
    assert "Your answer was published" not in said


async def test_acceptance_waits_while_its_asker_leaves(world: World) -> None:
    """Who answered in #people is for its members to know."""
    await ask_in_people(world)
    ana, eva = world.be("ana"), world.be("eva")
    await eva.says("Thirty days are given, as I know.", thread=eva.sees("you may know").id)
    over = outage(world, person="ana")
    await world.be("mod").presses("This answers it", on="Eva Lind answers")
    await ana.leaves("people")
    over()
    await hours_later(world)
    assert "✓ Answered in" not in await told(world, "ana")


async def test_a_form_waits_while_the_question_is_settled(world: World) -> None:
    """Nobody is asked any more who is named in it."""
    ana, ben, out = world.be("ana"), world.be("ben"), world.be("out")
    await ana.says(QUESTION)
    await ana.presses("Ask under my name")
    form = await ben.presses("Someone else knows")
    await world.be("chiara").says("Open the valve.", thread=world.be("chiara").sees("you may know").id)
    await ana.presses("This answers it", on="answered your question")
    await ben.fills(form, person="out")
    ben.sees("settled already")
    out.sees_nothing_of("you may know")


async def test_a_prompt_is_put_off_and_its_expert_leaves(world: World) -> None:
    """The morning comes: Eva hears nothing, and somebody else is asked."""
    await ask_in_people(world)
    eva = world.be("eva")
    await eva.presses("Not now")
    await eva.leaves("people")
    before = await told(world, "eva")
    world.clock.forward(days=1)
    await world.settle()
    assert await told(world, "eva") == before
    world.be("mod").sees("you may know")
