"""What people type and press that nobody planned for: a clear sentence each, nothing lost, nobody pinged."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest
from sqlalchemy import func, select

from bot.dispatch import PRESSES, SUBMITS
from bot.errors import Unknown
from bot.models import Answer, Prompt, Question
from bot.ports import (
    Commanded,
    Context,
    DeliveryError,
    Edited,
    Form,
    FormError,
    Heard,
    Message,
    Pressed,
    Reacted,
    Submitted,
    Text,
)
from bot.store import row_id
from tests.scenarios.chat import Actor, FakeChat, Posted
from tests.scenarios.conftest import World

QUESTION = "Why does the pump make a noise like gravel when the suction valve is half closed?"
ANSWER = "That is cavitation: open the suction valve fully, and check the NPSH margin."
MALFORMED = ["abc", "", "-1", "9" * 40, "1.5", "999999", "١", "1\0", "7.x", "None"]


async def questions_kept(world: World) -> list[str]:
    """The texts in the database."""
    async with world.bot.store.reading() as tx:
        return [row.text for row in await tx.all(select(Question).order_by(Question.id))]


def assert_nobody_is_pinged(chat: FakeChat) -> None:
    """Outside quotes, which renderers escape, nothing the bot says calls anybody or is markup of the asker's."""
    for posted in chat.posted:
        if isinstance(posted.content, Message):
            for part in posted.content.parts:
                if isinstance(part, Text | Context):
                    assert not re.search(r"(?<!\\)[<@]", part.markdown), part.markdown


def assert_no_incident(chat: FakeChat) -> None:
    """Nothing went wrong on the bot's side."""
    assert not [posted.words for posted in chat.posted if "incident" in posted.words]


def private_to(chat: FakeChat, person: str) -> list[Posted]:
    """What the bot said to one person only."""
    return [p for p in chat.posted if p.author == "bot" and (p.only_for == person or p.channel == f"dm-{person}")]


# --- texts ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["", "   \n\t", "\0", "???", "👍", "🎉🎉🎉", ":tada: :+1:", "…", "\u200b"])
async def test_no_words_in_it(world: World, text: str) -> None:
    """Nothing is asked, and the person is told what to do."""
    await world.be("ana").says(text)
    assert "Write" in world.be("ana").sees("in a sentence or two").words
    assert await questions_kept(world) == []
    assert_no_incident(world.chat)


async def test_far_too_long(world: World) -> None:
    """A message stays where it was written; a command stands nowhere, so its words are given back."""
    ana, text = world.be("ana"), "pump noise " * 3637
    posted = await ana.says(text)
    assert "has 40,006 characters; I can take 12,000" in ana.sees("characters").words
    assert posted.words == text
    await ana.commands("ask", text)
    back = ana.sees("I can take 12,000").words
    assert back.replace("\n", "").replace(" ", "").count("pumpnoise") >= 3637
    assert await questions_kept(world) == []
    assert_no_incident(world.chat)


@pytest.mark.parametrize(
    "text",
    [
        "How do I read this?\n```python\ndef f(x):\n    return `x` ** 2  # <!here>\n```\nIt fails.",
        "هل يمكنني إغلاق صمام الشفط in the pump station, please?",
        "Why does <b>the pump</b> <script>alert('noise')</script> hum & rattle?",
        "<!channel> <@U0123> @everyone @here why does the pump hum?",
        "Is *this* _a_ ~question~ [about](https://evil.example) pumps?",
        "Why does the \u202epump\u202c hum?",
        "# Pump\n> noise\n- gravel\n1. valve\n| a | b |",
        "x" * 12_000,
        "a\ud83db pump with half a character",
    ],
)
async def test_text_of_every_kind_is_kept_and_shown_as_typed(world: World, text: str) -> None:
    """It is a question like any other; it styles, links and calls nobody."""
    ana, ben = world.be("ana"), world.be("ben")
    await ana.says(text)
    kept = text.encode("utf8", "ignore").decode()
    assert await questions_kept(world) == [kept]
    await ana.presses("Ask under my name")
    card = ana.sees("Ana Duarte asks")
    assert kept[:60] in card.words
    await ben.presses("Answer", on="Ana Duarte asks")
    await ben.says(text, to=card.channel, thread=card.id)
    if "answered" in ana.sees(kept[:30]).words:
        await ana.presses("This answers it")
    assert_nobody_is_pinged(world.chat)
    assert_no_incident(world.chat)


async def test_nul_is_taken_out(world: World) -> None:
    """Databases do not take it and nobody can see it."""
    ana = world.be("ana")
    await ana.says("Why does\0 the pump hum?")
    assert await questions_kept(world) == ["Why does the pump hum?"]
    for name in ("know", "experts", "ask"):
        await ana.commands(name, f"pump noise\0 {name}")
    assert "pump noise know" in (await questions_kept(world))[-1].replace(" ask", " know")
    ana.sees("I found nothing on that")
    ana.sees("Who knows about")
    await ana.presses("Ask under my name")
    assert_no_incident(world.chat)


@pytest.mark.parametrize(
    "text",
    [
        "水泵吸入阀半关时为什么会发出砾石般的声音？",
        "لماذا تصدر المضخة صوتا مثل الحصى عندما يكون صمام الشفط نصف مغلق؟",
        "Warum macht die Pumpe ein Geräusch wie Kies, wenn das Saugventil halb geschlossen ist?",
        "Pourquoi la pompe fait-elle un bruit de gravier quand la vanne est à moitié fermée ?",
        "Почему насос шумит?",
    ],
)
async def test_a_language_the_model_does_not_know(world: World, text: str) -> None:
    """The asker hears that English is searched best, and can go straight to people."""
    ana = world.be("ana")
    await ana.says(text)
    preview = ana.sees("I search best in English")
    assert "go straight to people" in preview.words
    assert text in preview.words
    await ana.presses("Ask under my name")
    assert text in world.be("eva").sees("Ana Duarte asks", to=ana.sees("Ana Duarte asks").channel).words


async def test_a_weak_likeness_in_another_language_is_not_shown(world: World) -> None:
    """Words that both languages share are no reason to show a past answer; nearly the same question is."""
    ana, ben, eva = world.be("ana"), world.be("ben"), world.be("eva")
    text = "Wie starte ich das Deployment eines Containers in Kubernetes neu, ohne dass der Dienst ausfällt?"
    await ana.says(text)
    await ana.presses("Ask under my name")
    thread = ana.sees("Ana Duarte asks", to="cloud").id
    await ben.says("kubectl rollout restart deployment NAME does it.", to="cloud", thread=thread)
    await ana.presses("This answers it", on="answered your question")
    await eva.says("Warum startet das Deployment eines Containers in Kubernetes nicht von selbst wieder?")
    eva.sees("I search best in English")
    await eva.says(text)
    eva.sees("This may have been answered before")


async def test_english_is_not_taken_for_another_language(world: World) -> None:
    """Nor are the short, technical and half-foreign ways people ask in."""
    ana = world.be("ana")
    for text in (QUESTION, "pump cavitation NPSH", "kubectl get pods -n kube-system", "CrashLoopBackOff exit code 137?",
                 "What is the Reisekostenabrechnung process?", "σ and μ of the pump flow in m³/h?"):  # fmt: skip
        await ana.says(text)
        assert "I search best" not in ana.sees(text).words, text


# --- buttons --------------------------------------------------------------------------------------------------------


def event_of(actor: Actor, kind: Any, key: str, **more: Any) -> Any:
    """An event that no honest client would send."""
    place = actor.chat.place_of(f"dm-{actor.id}")
    return kind(id=f"{actor.id}:{key}", actor=actor.ref, place=place, at=actor.bot.store.clock.now(), **more)


async def press(actor: Actor, action: str, value: str) -> str:
    """Press a button that is not there; the words that came back."""
    before = len(actor.chat.posted)
    event = event_of(actor, Pressed, f"{action}:{next(actor.chat._ids)}", action=action, value=value)
    await actor.bot.dispatcher.handle(event)
    await actor.bot.worker.settle()
    return "\n".join(posted.words for posted in actor.chat.posted[before:] if posted in actor.chat.visible(actor.id))


@pytest.mark.parametrize("action", sorted([*PRESSES, "as_answer", "as_question"]))
async def test_malformed_values_of_buttons(world: World, action: str) -> None:
    """What cannot be a row, or is none any more, is unknown; it is never an incident."""
    for value in MALFORMED:
        words = await press(world.be("ana"), action, value)
        assert words == Unknown().sentence, (action, value, words)


@pytest.mark.parametrize("form", sorted(SUBMITS))
async def test_malformed_values_of_forms(world: World, form: str) -> None:
    """The same of forms; and what was typed into them is given back."""
    ana, typed = world.be("ana"), "Words that took a while to write."
    for number, value in enumerate(MALFORMED):
        values = {"answer": typed, "missing": typed, "text": typed, "odd": True, "also": ("nobody", "")}
        event = event_of(ana, Submitted, f"s{number}", form=form, value=value, values=values)
        await ana.bot.dispatcher.handle(event)
        await ana.bot.worker.settle()
        newest = ana.chat.visible("ana")[-1].words
        assert newest.startswith(Unknown().sentence), (form, value, newest)
        assert typed in newest


async def test_an_agreement_that_is_none(world: World) -> None:
    """What follows the id in the button that posts may be anything: nothing is posted, and the preview comes again."""
    ana = world.be("ana")
    await ana.says(QUESTION)
    for agreement in ("", "x" * 100, "\ud800", "\0", "1.1"):
        await press(ana, "post", f"1.{agreement}")
    assert_no_incident(world.chat)
    assert "has changed since I showed it to you" in ana.sees("I would post it").words
    world.be("out").sees_nothing_of("Ana Duarte asks")


async def test_what_was_sealed_for_something_else(world: World) -> None:
    """The channel of one form is no message of another, nor the other way round."""
    world.chat.add_channel("bees", members=("ana",))
    ana = world.be("ana")
    await ana.commands("community", to="bees")
    [channel] = [button.value for button in ana.chat.visible("ana")[-1].buttons if button.action == "found"]
    form = await ana.points("save", await world.be("eva").says("Bleed the suction line before.", to="pumps"))
    assert form is not None
    for name, value in (("save", channel), ("found", form.value)):
        await world.bot.dispatcher.handle(
            event_of(ana, Submitted, name, form=name, value=value, values={"text": "Ah."})
        )
        await world.settle()
        assert ana.chat.visible("ana")[-1].words.startswith(Unknown().sentence)


async def test_an_old_or_unknown_action(world: World) -> None:
    """Buttons and forms of an older version say that they are."""
    ana = world.be("ana")
    assert "older version" in await press(ana, "no_such_thing", "1")
    sent = event_of(ana, Submitted, "f", form="gone", value="1", values={"a": "my long words"})
    await ana.bot.dispatcher.handle(sent)
    await ana.bot.worker.settle()
    assert "older version" in ana.sees("my long words").words
    await ana.commands("nonsense", "whatever")
    ana.sees("Ask me anything")


async def test_somebody_elses_buttons(world: World) -> None:
    """A value carries no authority: who presses is asked again."""
    ana, ben, eva = world.be("ana"), world.be("ben"), world.be("eva")
    await ana.says(QUESTION)
    for action in ("post", "post_anonymously", "cancel", "change", "ask_experts"):
        assert "Only the person who asked" in await press(eva, action, "1"), action
    await ana.presses("Ask under my name")
    for action in ("prompt_answer", "prompt_pass", "prompt_later", "prompt_hand_over"):
        async with world.bot.store.reading() as tx:
            mine = await tx.person_of(ben.ref)
            assert mine is not None
            prompt = await tx.first(select(Prompt).where(Prompt.expert_id == mine.id))
        assert "for somebody else" in await press(eva, action, str(prompt.id)), action
    await ben.says(ANSWER, thread=ben.sees("you may know").id)
    for action in ("accept", "missing"):
        assert "Only the person who asked" in await press(eva, action, "1"), action
    async with world.bot.store.reading() as tx:
        assert (await tx.first(select(Answer))).accepted_at is None
        assert (await tx.first(select(Question))).state == "answered"
    await ben.reacts("white_check_mark", ana.sees("Ben Okafor answers", to="pumps"))  # quietly nothing
    assert "Accepted" not in eva.sees("Ben Okafor answers").words


async def test_pressed_twice_at_once(world: World) -> None:
    """Two taps, one effect: posted once, asked once, accepted once."""
    ana, ben = world.be("ana"), world.be("ben")
    await ana.says(QUESTION)
    [value] = [button.value for button in ana.sees("I would post it").buttons if button.action == "post"]
    await asyncio.gather(*(twice(ana, "post", value, number) for number in range(4)))
    await ana.bot.worker.settle()
    assert len([p for p in world.chat.posted if p.channel == "pumps" and "asks" in p.words]) == 1
    assert len([p for p in private_to(world.chat, "ben") if "you may know" in p.words]) == 1
    await ben.says(ANSWER, thread=ben.sees("you may know").id)
    await asyncio.gather(*(twice(ana, "accept", "1", number) for number in range(4)))
    await ana.bot.worker.settle()
    assert len([p for p in private_to(world.chat, "ben") if "Your answer was accepted" in p.words]) == 1
    assert_no_incident(world.chat)


async def twice(actor: Actor, action: str, value: str, number: int) -> None:
    """One of several taps: each is an event of its own."""
    await actor.bot.dispatcher.handle(event_of(actor, Pressed, f"{action}{number}", action=action, value=value))


async def test_me_too_pressed_by_many_at_once(world: World) -> None:
    """Each counts once; the asker's own does not."""
    ana = world.be("ana")
    await ana.says(QUESTION)
    await ana.presses("Ask under my name")
    actors = [world.be(key) for key in ("ben", "chiara", "dev", "eva", "mod")]
    await asyncio.gather(*(twice(actor, "me_too", "1", 1) for actor in actors))
    await ana.bot.worker.settle()
    assert "5 more have the same question" in ana.sees("Ana Duarte asks", to="pumps").words
    assert "You asked this one" in await press(ana, "me_too", "1")


async def test_a_form_that_opens_too_late(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A platform gives a few seconds for that; then the person is told to press again."""

    async def too_late(_trigger: str, _form: Form) -> None:
        raise DeliveryError("expired_trigger_id")

    monkeypatch.setattr(world.chat, "open_form", too_late)
    ana = world.be("ana")
    await ana.says(QUESTION)
    await ana.presses("Change …")
    ana.sees("Press the button once more")


# --- forms ----------------------------------------------------------------------------------------------------------


async def test_a_form_with_fields_nobody_asked_for(world: World) -> None:
    """They are ignored; fields of another kind count as empty."""
    ana = world.be("ana")
    await ana.says(QUESTION)
    form = await ana.presses("Change …")
    await ana.fills(form, asker_id="2", state="accepted", space="org", experts=("²", "abc", "", "99999999999999999999"))
    assert "Changed as you said" in ana.sees("I would post it").words
    with pytest.raises(FormError):
        await ana.fills(form, text=True, community=("1", "2"))
    with pytest.raises(FormError) as caught:
        await ana.fills(form, community="999")
    assert caught.value.errors == {"community": "Choose one of the communities in the list."}
    assert await questions_kept(world) == [QUESTION]


async def test_empty_and_endless_answers_keep_the_form_open(world: World) -> None:
    """What was typed stays in the form."""
    ana, ben = world.be("ana"), world.be("ben")
    await ana.says(QUESTION)
    await ana.presses("Ask under my name")
    form = await ben.presses("Answer", on="you may know")
    for text in ("", " \0 ", "👍", "x" * 40_000):
        with pytest.raises(FormError):
            await ben.fills(form, answer=text)
    await ben.says("👍", thread=ben.sees("you may know").id)
    ben.sees("I see no words in that")
    async with world.bot.store.reading() as tx:
        assert await tx.first(select(func.count()).select_from(Answer)) == 0
    await ben.fills(form, answer=ANSWER)
    ana.sees("Ben Okafor answered your question")


@pytest.mark.parametrize(
    ("whom", "sentence"),
    [
        ("ben", "That is you"),
        ("ana", "Ana Duarte asked this"),
        ("guest", "Gus Guest cannot see that channel"),
        ("nobody", "Choose a colleague"),
        ("", "Choose a colleague"),
    ],
)
async def test_handing_over_to_who_cannot_answer(world: World, whom: str, sentence: str) -> None:
    """Said at the input of the form that is still open."""
    ana, ben = world.be("ana"), world.be("ben")
    world.chat.add_person("guest", "Gus Guest", guest=True)
    await Actor(world.chat, world.bot, "guest").says("hello")
    await ana.says(QUESTION)
    await ana.presses("Ask under my name")
    form = await ben.presses("Someone else knows")
    with pytest.raises(FormError) as caught:
        await ben.fills(form, person=(whom,))
    assert sentence in caught.value.errors["person"]
    assert "[Answer]" in ben.sees("you may know").words


async def test_handing_over_does_not_give_an_anonymous_asker_away(world: World) -> None:
    """It goes as with anybody else."""
    ana, ben = world.be("ana"), world.be("ben")
    await ana.says(QUESTION)
    await ana.presses("Ask anonymously")
    form = await ben.presses("Someone else knows")
    await ben.fills(form, person=("ana",))
    assert "A colleague asks" in ana.sees("says you know about this").words


# --- people the bot does not know -----------------------------------------------------------------------------------


async def test_somebody_the_platform_does_not_know(world: World) -> None:
    """A clear sentence where they turned to the bot; silence where they did not."""
    ghost = Actor(world.chat, world.bot, "ghost")
    await ghost.says(QUESTION)
    ghost.sees("I cannot find your profile")
    said = len(world.chat.posted)
    place = world.chat.place_of("pumps")
    now = world.clock.now()
    for event in (
        Heard(id="g1", actor=ghost.ref, place=place, at=now, message_id="m1", text="just talking"),
        Reacted(id="g2", actor=ghost.ref, place=place, at=now, message_id="m1", emoji="white_check_mark"),
        Edited(id="g3", actor=ghost.ref, place=place, at=now, message_id="m1", text="still talking"),
    ):
        await world.bot.dispatcher.handle(event)
    await world.bot.worker.settle()
    assert len(world.chat.posted) == said
    assert_no_incident(world.chat)


async def test_a_guest_asks(world: World) -> None:
    """There is no community they could post in, and they are told so."""
    world.chat.add_person("guest", "Gus Guest", guest=True)
    guest = Actor(world.chat, world.bot, "guest")
    await guest.says(QUESTION)
    assert "no community that you could post this in" in guest.sees("gravel").words


async def test_a_broken_part_is_an_incident_with_a_number_and_nothing_else(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The person gets a number and their words back; the rest goes on."""

    def broken(*_: Any, **__: Any) -> Message:
        raise ZeroDivisionError

    ana = world.be("ana")
    with monkeypatch.context() as patched:
        patched.setattr("bot.replies.looking", broken)
        await ana.bot.dispatcher.handle(event_of(ana, Commanded, "c", name="ask", text=QUESTION))
        await ana.bot.worker.settle()
    assert QUESTION in ana.sees("incident").words
    await ana.says(QUESTION)
    ana.sees("I would post it")


async def test_nul_in_a_moderators_edit(world: World) -> None:
    """Forms are cleaned like messages."""
    ana, ben, mod = world.be("ana"), world.be("ben"), world.be("mod")
    await ana.says("How do I restart the deployment of a container in kubernetes?")
    await ana.presses("Ask under my name")
    thread = ana.sees("Ana Duarte asks", to="cloud").id
    await ben.says("kubectl rollout restart deployment NAME does it.", to="cloud", thread=thread)
    await ana.presses("This answers it", on="answered your question")
    form = await mod.presses("Edit …")
    await mod.fills(form, title="Restart a\0 deployment", text="kubectl rollout\0 restart")
    assert "Restart a deployment" in mod.sees("Edited and published").words
    assert_no_incident(world.chat)


@pytest.mark.parametrize("value", [value for value in MALFORMED if value != "999999"])
def test_malformed_values_are_no_rows(value: str) -> None:
    """The one place where values become ids."""
    with pytest.raises(Unknown):
        row_id(value)
