"""The sample organisation: an invented company, loaded so that there is something to click through.

People and communities come from `bot/sample`; its questions are put into the web chat's channels as real threads, and
into the knowledge base through the same importer that a company uses for its own.
"""

from __future__ import annotations

import csv
import json
import tempfile
import tomllib
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import select

from bot import communities, experts
from bot.importers import import_profiles, import_qa
from bot.models import Channel, Community, Entry, ImportMark, Membership, Person
from bot.ports import PersonRef, Place, PlaceInfo, Profile
from bot.store import Store, Transaction

SAMPLE = Path(__file__).parent / "sample"
WEB = ("web", "local")
LOADED = "demo: the sample organisation"  # the mark that says so


class SampleChat(Protocol):
    """What loading a sample asks of a chat: people, channels and history can be put into it."""

    async def add_people(self, people: list[tuple[Profile, str]]) -> None:
        """People, each with a label."""

    async def add_channel(self, channel: str, name: str, topic: str, private: bool, members: list[str]) -> None:
        """A channel with its members (user ids)."""

    async def add_message(
        self, channel: str, author: str, text: str, at: Any, *, key: str, thread: str | None = None
    ) -> str:
        """A message of the past; its id."""

    async def permalink(self, place: Place, message_id: str) -> str:
        """The address of a message."""


def organisation() -> dict[str, Any]:
    """The sample's communities and its name."""
    return tomllib.loads((SAMPLE / "organisation.toml").read_text(encoding="utf8"))


async def load(store: Store, chat: SampleChat) -> None:
    """Load the sample, once. Safe to repeat, and to interrupt."""
    async with store.reading() as tx:
        if await tx.session.get(ImportMark, LOADED) is not None:
            return
    sample = organisation()
    people = list(csv.DictReader((SAMPLE / "profiles.csv").open(encoding="utf8", newline="")))
    await store.run(lambda tx: _communities(tx, sample["community"]))
    await import_profiles(store, SAMPLE / "profiles.csv")
    moderators = {email for community in sample["community"] for email in community["moderators"]}
    await chat.add_people([(_profile(row), _label(row, moderators, sample)) for row in people])
    for community in sample["community"]:
        inside = community.get("members") or [
            row["email"] for row in people if community["slug"] in row["communities"].split(";")
        ]
        users = [_user(email) for email in inside]
        await chat.add_channel(
            community["channel"], community["channel"], community["domain"], community.get("private", False), users
        )
    await store.run(lambda tx: _homes(tx, sample["community"], people))
    await _history(store, chat)


def _user(email: str) -> str:
    return email.partition("@")[0]


def _profile(row: dict[str, str]) -> Profile:
    ref = PersonRef(*WEB, _user(row["email"]))
    return Profile(ref=ref, name=row["name"], email=row["email"], title=row["title"], time_zone=row["time_zone"])


def _label(row: dict[str, str], moderators: set[str], sample: dict[str, Any]) -> str:
    names = {community["slug"]: community["name"] for community in sample["community"]}
    mine = [names[slug] for slug in row["communities"].split(";") if slug in names]
    if row["email"] in moderators:
        moderated = next(c["name"] for c in sample["community"] if row["email"] in c["moderators"])
        return f"Moderator · {moderated}"
    skilled = len(row["skills"].split(";")) >= 5
    return f"{'Expert' if skilled else 'Employee'} · {mine[0]}" if mine else "Employee"


async def _communities(tx: Transaction, rows: list[dict[str, Any]]) -> None:
    for row in rows:
        community = await tx.first(select(Community).where(Community.slug == row["slug"]))
        if community is None:
            community = await tx.add(Community(slug=row["slug"], name=row["name"]))
        community.name, community.domain, community.rule = row["name"], row["domain"], row["publish"]
        community.guidelines, community.review_months = "\n".join(row["guidelines"]), row["review_months"]


async def _homes(tx: Transaction, rows: list[dict[str, Any]], people: list[dict[str, str]]) -> None:
    """Accounts for everybody, a web channel for every community, and its moderators."""
    for row in people:
        await experts.introduce(tx, _profile(row))
    for row in rows:
        community = await tx.first(select(Community).where(Community.slug == row["slug"]))
        members = [PersonRef(*WEB, _user(email)) for email in row.get("members", [])]
        info = PlaceInfo(place=Place(*WEB, row["channel"]), name=row["channel"], private=bool(row.get("private")))
        channel: Channel = await communities.learn(tx, info, members)
        channel.community_id = community.id
        for person in await tx.all(select(Person).where(Person.email.in_(row["moderators"]))):
            member = await tx.session.get(Membership, (community.id, person.id))
            if member is None:
                member = await tx.add(Membership(community_id=community.id, person_id=person.id))
            member.role = "moderator"
        await tx.later("index", f"communities:{community.id}-{community.id}")


async def _history(store: Store, chat: SampleChat) -> None:
    """The sample's questions and answers, as threads in the channels and as entries with links to them."""
    async with store.reading() as tx:
        now = tx.now
    asked = [json.loads(line) for line in (SAMPLE / "qa.jsonl").read_text(encoding="utf8").splitlines()]
    asked.sort(key=lambda row: -row["days_ago"])
    channels = {c["slug"]: c["channel"] for c in organisation()["community"]}
    for number, row in enumerate(asked):
        channel = channels[row["community"]]
        at = now - timedelta(days=row["days_ago"], minutes=(number * 37) % 480)
        words = "\n".join(filter(None, (row["title"], row["body"])))
        root = await chat.add_message(channel, _user(row["asker"]), words, at, key=row["id"])
        for place, answer in enumerate(row["answers"]):
            said = at + timedelta(minutes=11 + 23 * place)
            await chat.add_message(
                channel, _user(answer["author"]), answer["text"], said, key=f"{row['id']}.{place}", thread=root
            )
        row["link"] = await chat.permalink(Place(*WEB, channel), root)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "qa.jsonl"
        file.write_text("\n".join(json.dumps(row) for row in asked), encoding="utf8")
        await import_qa(store, file)
    homes = {c["slug"]: c["channel"] for c in organisation()["community"]}
    await store.run(lambda tx: _place(tx, homes))


async def _place(tx: Transaction, homes: dict[str, str]) -> None:
    """Each entry comes from its community's channel; what was said in a private one is for its members only."""
    for slug, channel in homes.items():
        home = await tx.get(Channel, (*WEB, channel))
        community = await tx.first(select(Community).where(Community.slug == slug))
        for entry in await tx.all(select(Entry).where(Entry.community_id == community.id)):
            entry.origin, entry.space = home.members_space, home.space
    await tx.add(ImportMark(source=LOADED, at=tx.now))
