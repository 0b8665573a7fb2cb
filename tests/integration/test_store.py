"""What the store and the worker promise, on SQLite and on PostgreSQL."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import MetaData, create_engine, func, insert, select
from sqlalchemy.exc import StatementError

from adapters.slack.schema import metadata as slack_metadata
from adapters.teams import metadata as teams_metadata
from adapters.web import metadata as web_metadata
from bot import delivery
from bot.app import open_bot
from bot.delivery import GIVE_UP_AFTER, LEASE, Postpone, Worker
from bot.errors import Unknown
from bot.migrations import migrate
from bot.models import ORG, AnswerPost, Base, Card, Channel, Person, Question, SeenEvent, SpaceMember, Work
from bot.ports import DeliveryError, Heard, Message, PersonRef, Place, Text
from bot.seal import Seal
from bot.settings import load
from bot.store import Store, Transaction, open_engine, row_id
from expertise_index import HashEmbedder
from tests.databases import Postgres
from tests.scenarios.chat import FakeChat, MovableClock

PLACE = Place("fake", "acme", "pumps")


def words(text: str) -> Message:
    """A message of a few words."""
    return Message(text, (Text(text),))


@pytest.fixture
async def store(database: str) -> AsyncIterator[Store]:
    """A store on a fresh database."""
    store = await new_store(database)
    yield store
    await store.close()


async def new_store(database: str) -> Store:
    """A store as the composition root makes it."""
    await asyncio.to_thread(migrate, database)
    return Store(open_engine(database), MovableClock(), Seal("a secret"))


def clock_of(store: Store) -> MovableClock:
    """The clock of a test's store."""
    assert isinstance(store.clock, MovableClock)
    return store.clock


async def count(store: Store, table: type[Base], *where: Any) -> int:
    """How many rows there are."""
    async with store.reading() as tx:
        return int(await tx.first(select(func.count()).select_from(table).where(*where)) or 0)


# --- events act once ------------------------------------------------------------------------------------------------


async def test_an_event_delivered_twenty_times_at_once_acts_once(tmp_path: Path, database: str) -> None:
    """Platforms repeat deliveries, also while the first one is still being handled."""
    chat = FakeChat()
    chat.add_person("ana", "Ana Duarte")
    settings = load(home=tmp_path, database_url=database)
    async with open_bot(settings, clock=MovableClock(), embedder=HashEmbedder(), platforms={"fake": chat}) as bot:
        heard = Heard(id="e1", actor=chat.ref("ana"), place=chat.place_of("dm-ana"), at=bot.store.clock.now(),
                      message_id="m1", text="Why does the pump hum?", direct=True)  # fmt: skip
        await asyncio.gather(*(bot.dispatcher.handle(heard) for _ in range(20)))
        assert await count(bot.store, Question) == 1
        assert await count(bot.store, Person) == 1
        assert await count(bot.store, SeenEvent) == 1
        await bot.worker.settle()
        assert len(chat.posted) == 1


async def test_an_event_whose_effect_failed_has_not_happened(store: Store) -> None:
    """The id of an event and its effect are committed together, or not at all."""

    async def fail(tx: Transaction) -> None:
        assert await tx.first_time("e1")
        await tx.add(Person(name="Half"))
        raise LookupError

    with pytest.raises(LookupError):
        await store.run(fail)
    assert await store.run(lambda tx: tx.first_time("e1"))
    assert await count(store, Person) == 0


async def test_one_card_shown_from_many_places_at_once(store: Store) -> None:
    """A card exists once, and ends in one of the versions shown; its work exists once."""

    def show(number: int) -> Any:
        return store.run(lambda tx: tx.show("question:1", words(f"version {number}"), to=PLACE), tries=12)

    await asyncio.gather(*(show(number) for number in range(10)))
    assert await count(store, Card) == 1
    assert await count(store, Work) == 1
    async with store.reading() as tx:
        card = await tx.first(select(Card))
    assert card.version == 10
    assert card.content["summary"].startswith("version ")


async def test_the_same_content_shown_again_is_no_change(store: Store) -> None:
    """What is already as it should be is not sent again."""
    await store.run(lambda tx: tx.show("help", words("same"), to=PLACE))
    await store.run(lambda tx: tx.never_mind("deliver", ""))
    async with store.transaction() as tx:
        card = await tx.show("help", words("same"), to=PLACE)
    assert card.version == 1


# --- work -------------------------------------------------------------------------------------------------------------


class Log:
    """Notes what was done, and by whom; can hold the work until told."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.at_once: Counter[str] = Counter()
        self.most = 0

    def by(self, name: str, store: Store) -> Worker:
        """A worker that notes what it does."""

        async def do(subject: str) -> None:
            lane = subject.partition("/")[0]
            self.at_once[lane] += 1
            self.most = max(self.most, self.at_once[lane])
            await asyncio.sleep(0)
            self.done.append(subject)
            self.at_once[lane] -= 1

        return Worker(store, {"job": do}, name=name)


async def test_two_workers_never_do_the_same_work_twice(database: str) -> None:
    """Two replicas on one database share what is to be done."""
    async with AsyncExitStack() as stack:
        stores = [await new_store(database) for _ in range(2)]
        for store in stores:
            stack.push_async_callback(store.close)
        async with stores[0].transaction() as tx:
            for number in range(40):
                await tx.later("job", number)
        log = Log()
        await asyncio.gather(*(log.by(f"w{n}", store).settle() for n, store in enumerate(stores)))
        assert sorted(log.done, key=int) == [str(number) for number in range(40)]
        assert await count(stores[0], Work) == 0


async def test_a_lane_keeps_order_and_goes_one_at_a_time(database: str) -> None:
    """What is said in one channel comes in the order in which it was said, also with two replicas."""
    async with AsyncExitStack() as stack:
        stores = [await new_store(database) for _ in range(2)]
        for store in stores:
            stack.push_async_callback(store.close)
        async with stores[0].transaction() as tx:
            for number in range(12):
                for lane in ("a", "b"):
                    await tx.later("job", f"{lane}/{number}", lane=lane)
        log = Log()
        workers = [log.by(f"w{n}", store) for n, store in enumerate(stores)]
        while await count(stores[0], Work):
            await asyncio.gather(*(worker.settle() for worker in workers))
        for lane in ("a", "b"):
            assert [s for s in log.done if s.startswith(lane)] == [f"{lane}/{number}" for number in range(12)]
        assert log.most == 1


async def test_a_message_tried_again_soon_is_not_overtaken(store: Store) -> None:
    """A short wait asked for by the platform does not change the order of what is said."""
    done: list[str] = []

    async def do(subject: str) -> None:
        if subject == "first" and not done and clock_of(store).now() < after:
            raise DeliveryError("slow down", retry_after=5)
        done.append(subject)

    after = store.clock.now() + timedelta(seconds=5)
    worker = Worker(store, {"job": do}, name="w")
    for subject in ("first", "second"):
        await store.run(lambda tx, s=subject: tx.later("job", s, lane="a"))  # type: ignore[misc]
    await worker.settle()
    assert done == []
    clock_of(store).forward(seconds=10)
    await worker.settle()
    assert done == ["first", "second"]


async def test_the_lease_of_a_dead_worker_lapses(store: Store) -> None:
    """Work claimed by a process that died is done by another, after its lease and not before."""
    log = Log()
    await store.run(lambda tx: tx.later("job", "1"))
    dead = log.by("dead", store)
    assert [claim.subject for claim in await dead._claim(1, ("job",))] == ["1"]
    living = log.by("living", store)
    await living.settle()
    assert log.done == []
    clock_of(store).forward(seconds=LEASE.total_seconds() + 1)
    await living.settle()
    assert log.done == ["1"]


async def test_a_restarted_worker_takes_its_own_claims_back_at_once(store: Store) -> None:
    """After a restart nobody waits for a lease to lapse."""
    await store.run(lambda tx: tx.later("job", "1"))
    await Log().by("one", store)._claim(1, ("job",))
    done = asyncio.Event()

    async def do(_subject: str) -> None:
        done.set()

    again = Worker(store, {"job": do}, name="one")
    await again.start()
    async with asyncio.timeout(10):
        await done.wait()
    await again.stop()
    assert await count(store, Work) == 0


async def test_the_lease_is_kept_while_work_goes_on(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Long work is not taken over by another replica while it goes on."""
    monkeypatch.setattr(delivery, "LEASE", timedelta(seconds=0.03))
    finish, started = asyncio.Event(), asyncio.Event()
    done = 0

    async def do(_subject: str) -> None:
        nonlocal done
        done += 1
        started.set()
        await finish.wait()

    await store.run(lambda tx: tx.later("job", "1"))
    one, other = (Worker(store, {"job": do}, name=name) for name in ("one", "other"))
    working = asyncio.create_task(one.settle())
    await started.wait()
    clock_of(store).forward(seconds=1)
    async with asyncio.timeout(10):
        kept = Work.claimed_until > store.clock.now()
        while not await count(store, Work, kept):  # noqa: ASYNC110 (the lease is renewed by a timer inside)
            await asyncio.sleep(0.01)
    assert await other.settle() == 0
    finish.set()
    await working
    assert done == 1
    assert await count(store, Work) == 0


async def test_postponed_work_is_no_failure(store: Store) -> None:
    """Work that says "not yet" comes back when it said, however often."""
    tries = 0

    async def do(_subject: str) -> None:
        nonlocal tries
        tries += 1
        if tries <= GIVE_UP_AFTER + 3:
            raise Postpone(60)

    await store.run(lambda tx: tx.later("job", "1"))
    worker = Worker(store, {"job": do}, name="w")
    for expected in range(1, GIVE_UP_AFTER + 5):
        await worker.settle()
        assert tries == expected
        clock_of(store).forward(seconds=61)
    assert await count(store, Work) == 0


async def test_work_that_always_fails_is_given_up_and_kept(store: Store) -> None:
    """After many tries, ever further apart, it is set aside where `weaver doctor` shows it."""
    tries = 0

    async def do(_subject: str) -> None:
        nonlocal tries
        tries += 1
        raise RuntimeError("broken")

    await store.run(lambda tx: tx.later("job", "1"))
    worker = Worker(store, {"job": do}, name="w")
    for _ in range(GIVE_UP_AFTER + 3):
        await worker.settle()
        clock_of(store).forward(hours=4)
    assert tries == GIVE_UP_AFTER
    assert (await delivery.backlog(store))["given_up"] == 1
    await store.run(lambda tx: tx.later("job", "1"))  # asked for again, it has another chance
    await worker.settle()
    assert tries == GIVE_UP_AFTER + 1


async def test_work_asked_for_again_while_it_is_done_is_done_again(store: Store) -> None:
    """What changed during the work is not lost."""
    done = 0

    async def do(_subject: str) -> None:
        nonlocal done
        done += 1
        if done == 1:
            await store.run(lambda tx: tx.later("job", "1"))

    await store.run(lambda tx: tx.later("job", "1"))
    await Worker(store, {"job": do}, name="w").settle()
    assert done == 2
    assert await count(store, Work) == 0


# --- rows -------------------------------------------------------------------------------------------------------------


async def test_nobody_may_see_what_nobody_said_they_may(store: Store) -> None:
    """Default deny: an unknown channel is private, a guest sees only their channels, who is gone sees nothing."""
    async with store.transaction() as tx:
        person = await tx.add(Person(name="Ana"))
        guest = await tx.add(Person(name="Gus", guest=True))
        gone = await tx.add(Person(name="Gone", active=False))
        channel = await tx.add(Channel(platform="fake", workspace="acme", channel="new"))
        assert channel.private
        assert channel.space != ORG
        for one in (guest, gone):
            tx.session.add(SpaceMember(space=channel.space, person_id=one.id))
        await tx.session.flush()
        assert await tx.readable(person) == {ORG}
        assert await tx.readable(guest) == {channel.space}
        assert await tx.readable(gone) == frozenset()
        assert not await tx.may_see(person, channel.space)
        assert not await tx.may_see(person, None)


async def test_times_are_aware_and_naive_ones_refused(store: Store) -> None:
    """A time comes back as the moment it was."""
    moment = datetime(2026, 7, 1, 12, tzinfo=UTC) + timedelta(microseconds=123)
    async with store.transaction() as tx:
        key = (await tx.add(Person(name="Ana", away_until=moment))).id
    async with store.reading() as tx:
        person = await tx.session.get(Person, key)
    assert person is not None
    assert person.away_until == moment
    assert person.away_until.tzinfo is UTC
    with pytest.raises(StatementError):
        async with store.transaction() as tx:
            await tx.add(Person(name="Naive", away_until=datetime(2026, 7, 1)))  # noqa: DTZ001


async def test_nul_is_taken_out_before_it_comes_here(tmp_path: Path, database: str) -> None:
    """PostgreSQL refuses NUL and halves of characters: neither gets as far as the database."""
    chat = FakeChat()
    chat.add_person("ana", "Ana Duarte")
    settings = load(home=tmp_path, database_url=database)
    async with open_bot(settings, clock=MovableClock(), embedder=HashEmbedder(), platforms={"fake": chat}) as bot:
        heard = Heard(id="e1", actor=chat.ref("ana"), place=chat.place_of("dm-ana"), at=bot.store.clock.now(),
                      message_id="m1", text="Why\0 does the \ud83d pump hum?", direct=True)  # fmt: skip
        await bot.dispatcher.handle(heard)
        async with bot.store.reading() as tx:
            assert (await tx.first(select(Question))).text == "Why does the  pump hum?"
        await bot.worker.settle()
        assert await count(bot.store, Work) == 0


async def test_a_row_that_is_gone_is_said_to_be_unknown(store: Store) -> None:
    """Buttons outlive rows, and values can be anything."""
    async with store.transaction() as tx:
        with pytest.raises(Unknown):
            await tx.get(Question, 7)
        with pytest.raises(Unknown):
            await tx.get(Question, None)


@pytest.mark.parametrize("value", ["", "abc", "-1", "1.5", " 1", "²", "٣", "2147483648", "9" * 400, "1;DROP", "1\0"])
def test_what_cannot_be_a_row_id_is_unknown(value: str) -> None:
    """Values of buttons are distrusted."""
    with pytest.raises(Unknown):
        row_id(value)


async def test_errors_of_the_database_quote_no_values(store: Store) -> None:
    """They end up in logs."""
    async with store.transaction() as tx:
        await tx.add(Person(id=1, name="secret words"))
    with pytest.raises(StatementError) as caught:
        await store.run(lambda tx: tx.session.execute(insert(Person).values(id=1, name="secret words")))
    assert "secret words" not in str(caught.value)


async def test_a_sealed_place_and_person_cannot_be_read(store: Store) -> None:
    """Whom a card is for is for the bot alone to know."""
    ana = PersonRef("fake", "acme", "ana.duarte@acme.example")  # longer than chance puts into a cipher text
    await store.run(lambda tx: tx.show("ask:1", words("hello"), to=ana))
    async with store.reading() as tx:
        card = await tx.first(select(Card))
        work = await tx.first(select(Work))
    assert "ana.duarte" not in card.sealed_to
    assert "ana.duarte" not in str(work.lane)
    assert store.seal.open_json(card.sealed_to) == {"person": ["fake", "acme", "ana.duarte@acme.example"]}


# --- migrations -------------------------------------------------------------------------------------------------------


async def test_writers_take_turns(tmp_path: Path) -> None:
    """On SQLite: in the order they came, the urgent first; whoever gives up or fails holds nobody up."""
    url = f"sqlite:///{tmp_path / 'turns.db'}"
    migrate(url)
    engine = open_engine(url)
    urgent = engine.execution_options(urgent=True)
    done: list[str] = []
    held, free = asyncio.Event(), asyncio.Event()

    async def write(name: str, through: Any = engine, wait: bool = False) -> None:
        async with through.begin():
            held.set()
            if wait:
                await free.wait()
            done.append(name)
            if name == "fails":
                raise ValueError(name)

    async with AsyncExitStack() as connections:  # open as many as the pool keeps: later nobody waits to be connected
        for _ in range(5):
            await connections.enter_async_context(engine.connect())
    first = asyncio.create_task(write("first", wait=True))
    await held.wait()
    later = [asyncio.create_task(write(name)) for name in ("a", "gives up", "fails")]
    later.append(asyncio.create_task(write("now", urgent)))
    for _ in range(20):  # until all are in the queue
        await asyncio.sleep(0)
    later[1].cancel()
    free.set()
    results = await asyncio.gather(first, *later, return_exceptions=True)
    assert done == ["first", "now", "a", "fails"]
    assert [type(result) for result in results if result] == [asyncio.CancelledError, ValueError]
    stuck = asyncio.create_task(write("stuck", wait=True))
    free.clear()
    held.clear()
    await held.wait()
    stuck.cancel()  # in the middle of its transaction
    await asyncio.gather(stuck, return_exceptions=True)
    async with asyncio.timeout(5):
        await write("after")
    await engine.dispose()


@pytest.mark.parametrize("which", ["sqlite", "postgresql"])
@pytest.mark.parametrize(
    "metadata",
    [Base.metadata, web_metadata, slack_metadata, teams_metadata],
    ids=["core", "web", "slack", "teams"],
)
def test_migrations_end_at_the_models(which: str, metadata: MetaData, postgres: Postgres, tmp_path: Path) -> None:
    """From nothing to today's tables; nothing is missing, nothing is left over."""
    url = postgres.empty() if which == "postgresql" else f"sqlite:///{tmp_path / 'new.db'}"
    migrate(url)
    migrate(url)  # again: nothing to do
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    names = set(metadata.tables)

    def ours(_object: Any, name: str | None, kind: str, _reflected: bool, _other: Any) -> bool:
        return kind != "table" or name in names

    options = {"include_object": ours, "compare_type": True}
    with engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection, opts=options), metadata)
    engine.dispose()
    assert differences == []


@pytest.mark.parametrize("which", ["sqlite", "postgresql"])
def test_answers_keep_their_messages_when_a_database_moves_on(which: str, tmp_path: Path, postgres: Postgres) -> None:
    """A database of before the bridge: what is known of the answers' messages is known after it."""
    url = postgres.empty() if which == "postgresql" else f"sqlite:///{tmp_path / 'old.db'}"
    migrate(url, "0003")
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    when = "'2026-03-02 09:00:00+00:00'"
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO people (id, name, title, department, location, bio, time_zone, guest, active)"
            " VALUES (1, 'Ana Duarte', '', '', '', '', 'UTC', false, true)"
        )
        connection.exec_driver_sql(
            "INSERT INTO questions (id, text, state, asked_at, sealed_asker, sealed_origin, anonymous, aloud,"
            " overheard, community_why, agreed, plan, link, closed_reason, platform, workspace, channel, thread)"
            f" VALUES (1, 'Why?', 'answered', {when}, '', '', false, false, false, '[]', '', '[]', '', '',"
            " 'slack', 'T1', 'C1', '1.1')"
        )
        for number, origin, message in ((1, "thread", "'1.2'"), (2, "prompt", "'1.3'"), (3, "prompt", "NULL")):
            connection.exec_driver_sql(
                "INSERT INTO answers (id, question_id, author_id, text, origin, message_id, created_at)"
                f" VALUES ({number}, 1, 1, 'So', '{origin}', {message}, {when})"
            )
    migrate(url)
    with engine.connect() as connection:
        posts = connection.execute(select(AnswerPost.__table__).order_by(AnswerPost.answer_id)).all()
    engine.dispose()
    assert [tuple(post) for post in posts] == [
        (1, "slack", "T1", "C1", "1.1", "1.2", True),
        (2, "slack", "T1", "C1", "1.1", "1.3", False),
    ]
