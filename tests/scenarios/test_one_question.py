"""One question, from chat to reusable knowledge."""

from __future__ import annotations

from tests.scenarios.conftest import World

QUESTION = "Why does the pump make a noise like gravel when the suction valve is half closed?"
ANSWER = "That is cavitation: the suction pressure falls below vapour pressure. Open the valve, check the NPSH margin."


async def test_from_question_to_knowledge(world: World) -> None:
    """Ask, preview, post, prompt, answer, accept; and the next asker finds it at once."""
    ana, ben, eva = world.be("ana"), world.be("ben"), world.be("eva")

    await ana.says(QUESTION)
    preview = ana.sees("I found no past answer")
    assert "#pumps" in preview.words
    assert "Ben Okafor" in preview.words
    ben.sees_nothing_of("gravel")

    await ana.presses("Ask under my name")
    assert ana.sees("Posted in").id == preview.id  # the same card, brought up to date
    assert "Ana Duarte asks" in eva.sees("gravel").words
    prompt = ben.sees("you may know")
    assert "Why you: profile lists" in prompt.words

    form = await ben.presses("Answer", on="you may know")
    await ben.fills(form, answer=ANSWER)
    assert "Your answer is in the thread" in ben.sees("you may know").words
    in_thread = eva.sees("Ben Okafor answers")
    assert in_thread.thread == eva.sees("Ana Duarte asks", to="pumps").id
    assert ANSWER in ana.sees("Ben Okafor answered your question").words

    await ana.presses("This answers it", on="Ben Okafor answered your question")
    assert "Accepted answer" in eva.sees("Ben Okafor answers").words
    assert "✓ Answered by Ben Okafor" in eva.sees("Ana Duarte asks", to="pumps").words
    assert "It is now a knowledge entry under your name" in ben.sees("Your answer was accepted").words

    await eva.says("pump makes a noise like gravel with the suction valve half closed, why?")
    found = eva.sees("This may have been answered before")
    assert ANSWER in found.words
    assert "looked after by Ben Okafor" in found.words
    assert "accepted 2 Mar 2026" in found.words
    assert "reviewed" not in found.words
    await eva.presses("This solved it")
    assert "helped 1" in eva.sees("Solved").words
    ben.sees("Your answer just helped a colleague")


async def test_not_quite_leads_to_people(world: World) -> None:
    """A past answer that does not fit is one tap away from the experts; sharing it is another."""
    ana, ben, eva = world.be("ana"), world.be("ben"), world.be("eva")
    await _answered(world)

    await eva.says("Why does the pump make a noise like gravel when the valve is half closed?")
    await eva.presses("Share in #pumps")
    assert "Eva Lind found this past answer useful" in ana.sees("found this past answer").words
    await eva.presses("Not quite")
    assert "Then let us ask people" in eva.sees("I would post it").words
    form = await eva.presses("Change …")
    assert form is not None
    await eva.fills(form, experts=(), also=("dev",))
    preview = eva.sees("Changed as you said")
    assert "Dev Patel" in preview.words
    assert "Ben Okafor" not in preview.words
    await eva.presses("Ask under my name")
    world.be("dev").sees("Eva Lind asks")
    assert "you may know" not in ben.sees("Eva Lind asks").words


async def test_a_prompt_says_which_answer_did_not_fit(world: World) -> None:
    """Else its own author would be shown it as a help, and others might write it once more."""
    ben, eva = world.be("ben"), world.be("eva")
    await _answered(world)
    await eva.says("Why does the pump make a noise like gravel when the valve is half closed?")
    await eva.presses("Not quite")
    await eva.presses("Ask under my name")
    prompt = ben.sees("Eva Lind asks in")
    assert "shown to the asker, who says that it does not quite fit" in prompt.words
    assert "in case it helps" not in prompt.words


async def test_the_preview_says_why_there(world: World) -> None:
    """Which community, and the reasons: its subjects, its like questions, its people; or that it is a guess."""
    ana = world.be("ana")
    await ana.says("My bearings are too hot")
    assert "it is about bearings" in ana.sees("Why there:").words
    await ana.presses("Never mind")
    await _answered(world)
    await ana.says(QUESTION + " Somebody must know more")
    await ana.presses("Ask the experts")
    assert f"it answered “{QUESTION}”" in ana.sees("Why there:").words
    await ana.presses("Never mind")
    await ana.says("Zzyzx qwrtp vbnmk")
    assert "this is a guess" in ana.sees("Why there:").words


async def test_what_is_close_but_not_sure_is_one_tap_away(world: World) -> None:
    """It is not suggested as an answer; its title stands in the preview."""
    await _answered(world)
    eva = world.be("eva")
    await eva.says("The pump makes a gravel noise after the night shift, who knows it?")
    assert "Close, but I am not sure that it fits" in eva.sees("I would post it").words
    label = next(b for b in eva.sees("I would post it").words.split("[") if b.startswith("Read:")).split("]")[0]
    await eva.presses(label)
    assert ANSWER in eva.sees("looked after by Ben Okafor").words


async def test_a_long_answer_can_be_read_to_its_end(world: World) -> None:
    """The card shows its beginning; one tap shows the rest, privately."""
    ana, ben, eva = world.be("ana"), world.be("ben"), world.be("eva")
    await ana.says(QUESTION)
    await ana.presses("Ask under my name")
    await ben.says("Open the suction valve. " * 60 + "And mind the end.", thread=ben.sees("you may know").id)
    await ana.presses("This answers it")
    await eva.commands("know", QUESTION)
    assert "mind the end" not in eva.sees(" found for ").words
    await eva.presses("Read all of it")
    assert "mind the end" in eva.sees("looked after by Ben Okafor").words


async def test_an_anonymous_asker_stays_unknown(world: World) -> None:
    """Nobody sees who asked, and the database does not say it, either."""
    ana = world.be("ana")
    await ana.says(QUESTION)
    await ana.presses("Ask anonymously")
    for person in ("ben", "chiara", "dev", "eva", "mod"):
        world.be(person).sees_nothing_of("Ana")
    form = await world.be("ben").presses("Answer", on="you may know")
    await world.be("ben").fills(form, answer=ANSWER)
    ana.sees("Ben Okafor answered your question")
    form = await ana.presses("Something is missing")
    await ana.fills(form, missing="How far may I close the valve at most?")
    assert "A colleague still needs to know" in world.be("eva").sees("How far may I close").words
    await ana.presses("This answers it", on="Ben Okafor answered your question")
    for person in ("ben", "chiara", "dev", "eva", "mod"):
        world.be(person).sees_nothing_of("Ana")
    async with world.bot.store.engine.connect() as connection:
        rows = await connection.exec_driver_sql("SELECT asker_id FROM questions")
        assert [row[0] for row in rows] == [None]
        ids = await connection.exec_driver_sql('SELECT accounts."user" FROM accounts JOIN people ON id = person_id')
        assert ana.ref.id in {row[0] for row in ids}
        for table in ("questions", "cards", "work", "suggestions", "followers", "seen_events"):
            dump = await connection.exec_driver_sql(f"SELECT * FROM {table}")
            text = "\n".join(str(tuple(row)) for row in dump)
            assert f"'{ana.ref.id}'" not in text
            assert "Ana Duarte" not in text


async def test_experts_pass_hand_over_and_come_back_later(world: World) -> None:
    """Declining is one tap; naming a colleague brings the question to them; "not now" returns in the morning."""
    ana = world.be("ana")
    await ana.says(QUESTION)
    await ana.presses("Ask under my name")
    asked = [key for key in ("ben", "chiara", "dev", "eva") if _prompted(world, key)]
    assert len(asked) == 3
    waiting = next(key for key in ("ben", "chiara", "dev", "eva") if key not in asked)

    await world.be(asked[0]).presses("Pass")
    world.be(asked[0]).sees("No hard feelings")
    assert _prompted(world, waiting)

    form = await world.be(asked[1]).presses("Someone else knows")
    await world.be(asked[1]).fills(form, person=("out",))
    assert "says you know about this" in world.be("out").sees("you may know").words

    await world.be(asked[2]).presses("Not now")
    world.be(asked[2]).sees("next working morning")
    world.clock.forward(hours=25)
    await world.settle()
    assert "[Answer]" in world.be(asked[2]).sees("you may know").words
    world.be(asked[2]).sees("come back to this one")


async def test_who_may_know_too_is_offered_first(world: World) -> None:
    """Somebody who hands a question over sees who else fits it, and not those who were asked."""
    await world.be("ana").says(QUESTION)
    await world.be("ana").presses("Ask under my name")
    experts = {"ben": "Ben Okafor", "chiara": "Chiara Rossi", "dev": "Dev Patel", "eva": "Eva Lind"}
    asked = [key for key in experts if _prompted(world, key)]
    (waiting,) = [key for key in experts if key not in asked]

    form = await world.be(asked[0]).presses("Someone else knows")
    assert form is not None
    assert [item.name for item in form.inputs] == ["likely", "person"]
    assert [option.label for option in form.inputs[0].options] == [experts[waiting]]
    await world.be(asked[0]).fills(form, likely=form.inputs[0].options[0].value)
    assert "says you know about this" in world.be(waiting).sees("you may know").words

    form = await world.be(asked[1]).presses("Someone else knows")
    assert form is not None
    assert [item.name for item in form.inputs] == ["person"]


async def test_replies_in_the_thread_count_and_edits_follow(world: World) -> None:
    """Anybody's reply is an answer; what is made of it changes and goes with it."""
    ana, chiara = world.be("ana"), world.be("chiara")
    await ana.says(QUESTION)
    await ana.presses("Ask under my name")
    thread = ana.sees("Ana Duarte asks", to="pumps").id

    reply = await chiara.says("It is cavitation, open the suction valve fully.", to="pumps", thread=thread)
    await ana.presses("This answers it", on="Chiara Rossi answered")
    await chiara.edits(reply, "It is cavitation: open the suction valve and clean the strainer.")
    await world.be("eva").commands("know", "pump noise gravel suction valve strainer")
    assert "clean the strainer" in world.be("eva").sees(" found for ").words

    await chiara.deletes(reply)
    assert "taken back by its author" in ana.sees("Chiara Rossi answered").words
    await world.be("eva").commands("know", "pump noise gravel suction valve strainer")
    world.be("eva").sees("I found nothing on that")


async def test_me_too_counts_and_is_told(world: World) -> None:
    """Followers count as demand and hear of the accepted answer."""
    ana, ben, eva = world.be("ana"), world.be("ben"), world.be("eva")
    await ana.says(QUESTION)
    await ana.presses("Ask under my name")
    await eva.presses("Me too")
    assert "1 more has the same question" in ana.sees("Ana Duarte asks", to="pumps").words
    await ben.says(ANSWER, thread=ben.sees("you may know").id)  # simply replying to the prompt
    await ana.presses("This answers it", on="answered your question")
    assert ANSWER in eva.sees("A question you follow was answered").words


async def test_what_is_said_in_private_stays_there(world: World) -> None:
    """An answer given in a private channel is found by its members only, also after somebody left."""
    ana, eva, mod, ben = world.be("ana"), world.be("eva"), world.be("mod"), world.be("ben")
    text = "How many days of leave does an appraisal year in a salary band give?"
    await ana.says(text)
    form = await ana.presses("Change …")
    assert form is not None
    choice = next(item for item in form.inputs if item.name == "community")
    people = next(option.value for option in choice.options if option.label == "People practice")
    await ana.fills(form, community=people, experts=(), also=("eva",))
    await ana.presses("Ask under my name")
    await eva.says("Thirty days, and five more from band four on.", thread=eva.sees("you may know").id)
    await ana.presses("This answers it", on="answered your question")

    await mod.commands("know", "days of leave appraisal year salary band")
    assert "Thirty days" in mod.sees(" found for ").words
    await ben.commands("know", "days of leave appraisal year salary band")
    ben.sees("I found nothing on that")
    ben.sees_nothing_of("Thirty days")

    await mod.leaves("people")
    await mod.commands("know", "days of leave appraisal year salary band")
    mod.sees("I found nothing on that")


async def test_a_draft_waits_for_its_moderator(world: World) -> None:
    """Where the community's rule says so, an entry is a draft that a moderator publishes."""
    ana, ben, mod = world.be("ana"), world.be("ben"), world.be("mod")
    await ana.says("How do I restart the deployment of a container in kubernetes?")
    await ana.presses("Ask under my name")
    await ben.says("kubectl rollout restart deployment NAME does it without downtime.", to="cloud",
                   thread=ana.sees("Ana Duarte asks", to="cloud").id)  # fmt: skip
    await ana.presses("This answers it", on="answered your question")
    assert "to be reviewed" in mod.sees("rollout restart").words
    await ben.commands("know", "restart deployment container kubernetes")
    assert "not reviewed yet" in ben.sees(" found for ").words
    await mod.presses("Publish")
    mod.sees("Published by Maud Keller")
    await ben.commands("know", "restart deployment container kubernetes")
    assert "reviewed 2 Mar 2026" in ben.sees(" found for ").words
    ben.sees("Your answer was published")


async def test_an_answer_typed_as_a_plain_message_is_not_lost(world: World) -> None:
    """An expert with an open prompt just writes: the bot asks which it is."""
    ana, ben = world.be("ana"), world.be("ben")
    await ana.says(QUESTION)
    await ana.presses("Ask under my name")
    await ben.says(ANSWER)
    await ben.presses("My answer to this")
    assert ANSWER in ana.sees("Ben Okafor answered your question").words
    ben.sees("Your answer is in the thread under your name")


async def test_commands_can_be_said(world: World) -> None:
    """Not every platform has each of them, and nobody should have to remember a slash."""
    ana = world.be("ana")
    await ana.says(QUESTION)
    await ana.presses("Ask under my name")
    await ana.says("mine")
    assert QUESTION in ana.sees("Your questions").words
    await ana.says("communities?")
    ana.sees("Pumps in #pumps")
    await ana.says("profile")
    ana.sees("My expertise")


async def _answered(world: World) -> None:
    ana, ben = world.be("ana"), world.be("ben")
    await ana.says(QUESTION)
    await ana.presses("Ask under my name")
    await ben.says(ANSWER, thread=ben.sees("you may know").id)
    await ana.presses("This answers it", on="answered your question")


def _prompted(world: World, person: str) -> bool:
    return any("you may know" in posted.words for posted in world.chat.visible(person))
