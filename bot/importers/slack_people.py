"""The users of a Slack export made into people with accounts, so that a later live connection meets the same people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from bot.importers.batches import ask_for_index
from bot.importers.bulk import insert_many
from bot.importers.people import add_people, people_by_email, people_by_source
from bot.importers.report import Outcome, Remark
from bot.importers.text import email_of, is_email, one_line, shortened
from bot.models import Account, Person
from bot.store import Transaction

PLATFORM = "slack"


@dataclass(frozen=True, slots=True)
class SlackUser:
    """A human of the export."""

    id: str
    name: str
    email: str | None
    title: str
    time_zone: str | None
    guest: bool
    active: bool


def is_bot(user: Mapping[str, Any]) -> bool:
    """Whether no human is behind this user."""
    return bool(user.get("is_bot") or user.get("is_workflow_bot")) or user.get("id") == "USLACKBOT"


def shown_name(user: Mapping[str, Any]) -> str:
    """The name a user goes by."""
    profile = _profile(user)
    names = (user.get("real_name"), profile.get("real_name"), profile.get("display_name"), user.get("name"))
    return shortened(next((name for name in map(one_line, names) if name), ""), 200)


def read_user(user: Mapping[str, Any]) -> SlackUser | None:
    """The human this describes, if it is one."""
    user_id = one_line(user.get("id"))
    if not user_id or len(user_id) > 128 or is_bot(user):
        return None
    profile = _profile(user)
    email = email_of(str(profile.get("email") or ""))
    zone = one_line(user.get("tz"))
    return SlackUser(
        id=user_id,
        name=shown_name(user) or user_id,
        email=email if is_email(email) else None,
        title=shortened(one_line(profile.get("title")), 300),
        time_zone=zone if zone and len(zone) <= 64 else None,
        guest=bool(user.get("is_restricted") or user.get("is_ultra_restricted") or user.get("is_stranger")),
        active=not user.get("deleted"),
    )


def _profile(user: Mapping[str, Any]) -> Mapping[str, Any]:
    profile = user.get("profile")
    return profile if isinstance(profile, dict) else {}


def workspace_of(users: list[dict[str, Any]]) -> str:
    """The team most users belong to: those of other organisations in shared channels have another."""
    teams = [str(user["team_id"]) for user in users if user.get("team_id")]
    return max(set(teams), key=lambda team: (teams.count(team), team)) if teams else "import"


async def put_users(tx: Transaction, workspace: str, users: list[SlackUser]) -> Outcome:
    """Make these users known. What people or the HR system say of somebody counts more than what Slack says."""
    outcome = Outcome()
    accounts = await _accounts(tx, workspace, [user.id for user in users])
    by_id = {person.id: person for person in await _people(tx, set(accounts.values()))}
    by_email = await people_by_email(tx, [user.email for user in users if user.email])
    by_source = await people_by_source(tx, [_source_key(workspace, user.id) for user in users])

    fresh: dict[str, SlackUser] = {}  # by what tells them apart: two users with one address are one person
    people: dict[str, Person] = {}
    active = {user.email for user in users if user.email and user.active}
    for user in users:
        key = _source_key(workspace, user.id)
        known = by_id.get(accounts.get(user.id, 0)) or by_email.get(user.email or "") or by_source.get(key)
        if known is None:
            fresh.setdefault(user.email or key, user)
            continue
        people[user.id] = known
        taken = user.email in by_email and by_email[user.email or ""] is not known
        if taken:
            outcome.noted.append(Remark(f"user {user.id}", "Its e-mail address belongs to somebody else here already."))
        changed = _bring_up_to_date(known, user, email_free=not taken, active=user.active or user.email in active)
        outcome.updated += changed
        outcome.unchanged += not changed
        if changed:
            await ask_for_index(tx, "people", [known.id])
    added = await add_people(tx, [_row(workspace, user, user.email in active) for user in fresh.values()])
    ids = dict(zip(fresh, added, strict=True))
    rows = [
        {"platform": PLATFORM, "workspace": workspace, "user": user.id, "guest": user.guest, "active": user.active}
        | {"person_id": people[user.id].id if user.id in people else ids[user.email or _source_key(workspace, user.id)]}
        for user in users
        if user.id not in accounts
    ]
    await insert_many(tx, Account, rows)
    await ask_for_index(tx, "people", added)
    outcome.taken = len(added)
    return outcome


async def people_of(tx: Transaction, workspace: str, users: set[str]) -> dict[str, int]:
    """The person behind each of these users, where known."""
    return await _accounts(tx, workspace, sorted(users))


async def _accounts(tx: Transaction, workspace: str, users: list[str]) -> dict[str, int]:
    mine = (Account.platform == PLATFORM, Account.workspace == workspace, Account.user.in_(users))
    return {account.user: account.person_id for account in await tx.all(select(Account).where(*mine))}


async def _people(tx: Transaction, ids: set[int]) -> list[Person]:
    return await tx.all(select(Person).where(Person.id.in_(ids))) if ids else []


def _source_key(workspace: str, user: str) -> str:
    return f"{PLATFORM}:{workspace}:{user}"


def _row(workspace: str, user: SlackUser, active: bool) -> dict[str, Any]:
    return {
        "name": user.name,
        "email": user.email,
        "title": user.title,
        "time_zone": user.time_zone or "UTC",
        "guest": user.guest,
        "active": user.active or active,
        "source_key": None if user.email else _source_key(workspace, user.id),
    }


def _bring_up_to_date(person: Person, user: SlackUser, *, email_free: bool, active: bool) -> bool:
    wanted: dict[str, Any] = {}
    if user.email and not person.email and email_free:
        wanted["email"] = user.email
    if person.source_key and not person.email:  # known from this export alone
        wanted |= {"name": user.name, "guest": user.guest}
    if not person.title and user.title:
        wanted["title"] = user.title
    if person.time_zone == "UTC" and user.time_zone:
        wanted["time_zone"] = user.time_zone
    if not active:
        wanted["active"] = False
    different = {field: value for field, value in wanted.items() if getattr(person, field) != value}
    for field, value in different.items():
        setattr(person, field, value)
    return bool(different)
