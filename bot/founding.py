"""Founding a community in a channel, giving it another channel, and changing what it says of itself."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import astuple
from typing import Literal

from sqlalchemy import func, select, update

from bot import communities, forms, mirrors, replies_home
from bot.errors import BotError, ConfigurationError, NotAllowed, Unknown
from bot.models import Channel, Community, Membership, Person
from bot.ports import BOARDS, Form, FormError, Option, Place, PlaceInfo, Pressed, Submitted
from bot.store import Transaction

RULES = {
    "publish": "Others find it at once",
    "draft": "Others find it at once, marked “not reviewed yet”",
    "review": "Others find it when a moderator has looked it over",
}
LONGEST_NAME, LONGEST_DOMAIN = 80, 2000
NEW = "new"


def value_of(tx: Transaction, person: Person, place: Place) -> str:
    """A channel as a button or a form gives it back: sealed, for this person, so that nobody can name another one."""
    return tx.seal.seal_json([person.id, *astuple(place)[:3]])


async def may(tx: Transaction, person: Person, place: Place) -> Literal["found", "change", "nothing"]:
    """What this person could do about the community of the channel they are in."""
    channel = await tx.channel_at(place)
    if channel is None or channel.archived or person.guest or not await tx.may_see(person, channel.space):
        return "nothing"
    if channel.community_id is None:
        return "found"
    return "change" if await communities.moderates(tx, person, channel.community_id) else "nothing"


async def form(tx: Transaction, person: Person, place: Place) -> Form:
    """The form for the channel somebody is in: to found a community here, or to change the one that lives here."""
    channel = await _channel(tx, person, place)
    here = await tx.session.get(Community, channel.community_id) if channel.community_id else None
    if here and not await communities.moderates(tx, person, here.id):
        raise NotAllowed(f"{here.name} lives in this channel already. Its moderators can change it.")
    mine = [] if here else await communities.moderated_by(tx, person)
    homes = [Option(str(row.id), row.name, "gets this channel, too") for row in mine]
    return forms.community_form(
        value_of(tx, person, place),
        name=here.name if here else channel.name.replace("-", " ").replace("_", " ").strip().capitalize(),
        domain=here.domain if here else "",
        rule=here.rule if here else "publish",
        rules=[Option(key, label) for key, label in RULES.items()],
        others=[Option(NEW, "A new community"), *homes] if homes else [],
        changing=here is not None,
    )


async def open_form(tx: Transaction, person: Person, event: Pressed) -> Form:
    """The same, by its button."""
    return await form(tx, person, _place(tx, person, event.value))


async def found(tx: Transaction, person: Person, event: Submitted) -> None:
    """Take the form: found the community, or change it. Its founder is its first moderator."""
    channel = await _channel(tx, person, _place(tx, person, event.value))
    if channel.community_id is None and event.text("community") not in ("", NEW):
        await _settle_in(tx, person, channel, event.text("community"))
        return
    new = channel.community_id is None
    if channel.community_id and not await communities.moderates(tx, person, channel.community_id):
        raise NotAllowed("Only a moderator of this community can change what it says of itself.")
    said = (event.text("name"), event.text("domain"), event.text("rule"))
    community = await _say(tx, channel, *said, moderators=[person] if new else [], by=person)
    if new:
        await _announce(tx, person, channel, community)


async def establish(
    tx: Transaction,
    info: PlaceInfo,
    *,
    name: str,
    domain: str,
    rule: str,
    by: Sequence[Person],
) -> Community:
    """Found a community in a channel, or change it, on an administrator's word. Raises `BotError`."""
    channel = await communities.learn(tx, info, ())
    try:
        return await _say(tx, channel, name, domain, rule, moderators=by)
    except FormError as wrong:
        raise BotError(" ".join(wrong.errors.values())) from None


async def show_on(tx: Transaction, community: Community, board: PlaceInfo | None) -> None:
    """From now on this board shows the questions of this community and of no other; None: no board shows them."""
    mine = (Channel.community_id == community.id, Channel.workspace == BOARDS)
    await tx.session.execute(update(Channel).where(*mine).values(community_id=None))
    if board:
        (await communities.learn(tx, board, ())).community_id = community.id


async def _say(
    tx: Transaction,
    channel: Channel,
    name: str,
    domain: str,
    rule: str,
    *,
    moderators: Sequence[Person],
    by: Person | None = None,
) -> Community:
    """What the community of this channel says of itself from now on. Raises `FormError`."""
    name, domain = " ".join(name.split()), domain.strip()
    if errors := await _wrong(tx, channel, name, domain, rule, by):
        raise FormError(errors)
    community = await tx.session.get(Community, channel.community_id) if channel.community_id else None
    if community is None:
        community = await tx.add(Community(slug=await _slug(tx, name), name=name))
        channel.community_id = community.id
    community.name, community.domain, community.rule = name, domain, rule
    for person in moderators:
        member = await tx.session.get(Membership, (community.id, person.id))
        if member is None:
            member = await tx.add(Membership(community_id=community.id, person_id=person.id))
        member.role = "moderator"
    await tx.later("index", f"communities:{community.id}-{community.id}")
    return community


async def _settle_in(tx: Transaction, person: Person, channel: Channel, community_id: str) -> None:
    """A community gets another channel."""
    mine = {str(row.id): row for row in await communities.moderated_by(tx, person)}
    community = mine.get(community_id)
    if community is None:
        raise FormError({"community": "Choose one of the communities in the list."})
    channel.community_id = community.id
    await tx.later("index", f"communities:{community.id}-{community.id}")
    await _announce(tx, person, channel, community)


async def _announce(tx: Transaction, person: Person, channel: Channel, community: Community) -> None:
    place = Place(channel.platform, channel.workspace, channel.channel)
    await tx.session.flush()
    also = [mirrors.label(row.name, row.platform) for row in await mirrors.channels(tx, community.id, channel)]
    card = replies_home.founded(community.name, community.domain, person.name, also)
    await tx.show(f"founded:{community.id}:{channel.members_space}", card, to=place)


async def _wrong(
    tx: Transaction, channel: Channel, name: str, domain: str, rule: str, person: Person | None
) -> dict[str, str]:
    """What is wrong with the form, by input. Of a community that this person cannot see, nobody learns its name."""
    errors = {}
    if not 2 <= len(name) <= LONGEST_NAME:
        errors["name"] = f"Give it a name of 2 to {LONGEST_NAME} characters."
    same = select(Community).where(func.lower(Community.name) == name.lower())
    here = channel.community_id or 0
    known = await communities.seen_by(tx, await tx.readable(person)) if person else None
    if any(row.id != here and (known is None or row.id in known) for row in await tx.all(same)):
        errors["name"] = "There is a community of this name already. Choose another name."
    if not 10 <= len(domain.strip()) <= LONGEST_DOMAIN:
        errors["domain"] = (
            f"Say in 10 to {LONGEST_DOMAIN} characters what it is about: questions find their way here by these words."
        )
    if rule not in RULES:
        errors["rule"] = "Choose one of the three."
    return errors


def short(name: str) -> str:
    """A name in small letters, digits and hyphens."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:80] or "community"


async def _slug(tx: Transaction, name: str) -> str:
    """A free short name for files and commands."""
    base = short(name)
    taken = set(await tx.all(select(Community.slug).where(Community.slug.startswith(base, autoescape=True))))
    return next(slug for n in range(len(taken) + 1) if (slug := f"{base}-{n + 1}" if n else base) not in taken)


async def _channel(tx: Transaction, person: Person, place: Place) -> Channel:
    """The channel, if a community may be founded there by this person."""
    known = await tx.channel_at(place)
    channel = await tx.get(Channel, (place.platform, place.workspace, place.channel)) if known else None
    if channel is None or channel.archived:
        raise BotError("A community lives in a channel. Go to the channel, invite me there, and say it again.")
    if person.guest or not await tx.may_see(person, channel.space):
        raise NotAllowed("Only members of the organisation can found a community, in a channel they can see.")
    return channel


def _place(tx: Transaction, person: Person, value: str) -> Place:
    """The channel that `value_of` named. Raises `Unknown` for what is not ours, or was given to somebody else."""
    try:
        person_id, *parts = tx.seal.open_json(value)
    except (ConfigurationError, ValueError, TypeError):
        raise Unknown from None
    if person_id != person.id:
        raise Unknown
    return Place(*parts)
