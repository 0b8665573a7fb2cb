"""Who and where: profiles, channels and members, asked of Teams one by one; nothing is asked to acknowledge anything.

https://learn.microsoft.com/microsoftteams/platform/bots/how-to/get-teams-context
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

from adapters.teams.activities import person_id
from adapters.teams.connector import Connector, TeamsError
from adapters.teams.references import CHANNEL, PERSONAL, Account, Conversation, References
from adapters.teams.settings import PLATFORM, TeamsSettings
from adapters.teams.text import dicts_in, text_in
from bot.ports import DeliveryError, PersonRef, Place, PlaceInfo, Profile

_PAGE = 500
_OUTSIDE = ("guest", "anonymous")
_EVERY = "*"

Direct = Callable[[PersonRef], Awaitable[Place]]


class People:
    """People and channels of all tenants. `direct` opens a chat with somebody who was never met."""

    def __init__(
        self, connector: Connector, references: References, settings: TeamsSettings, *, direct: Direct
    ) -> None:
        self._connector = connector
        self._references = references
        self._settings = settings
        self._direct = direct

    async def profile(self, person: PersonRef) -> Profile:
        """Who this is. Raises `LookupError` for somebody who is not in the tenant, or not any more."""
        known = await self._references.account(person.workspace, person.id)
        account = known or Account(id=person.id)
        member = None
        if account.seen_in and account.seen_in != account.personal:
            member = await self._member(person, account.seen_in, account.id)
        if member is None:  # they may only have left that channel: in their own chat with the bot Teams knows them
            member = await self._member(person, (await self._direct(person)).channel, account.id)
        if member is None:
            raise LookupError("Teams does not know this person any more")
        return profile_of(person, member, account.time_zone)

    async def _member(self, person: PersonRef, where: str, account: str) -> dict[str, Any] | None:
        conversation = await self._references.conversation(person.workspace, where)
        if conversation is None or conversation.gone:
            return None
        path = ("conversations", conversation.id, "members", account or person.id)
        try:
            return await self._connector.call(conversation.service_url, "GET", *path)
        except TeamsError as error:
            if error.status == 404:
                return None
            raise

    async def place(self, place: Place) -> PlaceInfo:
        """What this is. Raises `LookupError` for what is deleted, or out of the bot's sight."""
        known = await self._references.conversation(place.workspace, place.channel)
        if known is None or known.gone:
            raise LookupError("the bot is not in this conversation")
        if known.kind == PERSONAL:
            return PlaceInfo(place=place.root, name=known.bot_name, private=True, direct=True)
        if known.kind != CHANNEL or not known.team:
            return PlaceInfo(place=place.root, name=known.name or "Group chat", private=True)
        try:
            answer = await self._connector.call(known.service_url, "GET", "teams", known.team, "conversations")
            team = await self._connector.call(known.service_url, "GET", "teams", known.team)
        except TeamsError as error:
            if error.gone:
                raise LookupError("the bot is not in this team") from error
            raise
        channel = next((one for one in dicts_in(answer, "conversations") if text_in(one, "id") == known.id), None)
        if channel is None:
            raise LookupError("no such channel in this team")
        team_name = text_in(team, "name") or known.team_name
        group = text_in(team, "aadGroupId") or known.team_group
        kind = (text_in(channel, "type") or text_in(channel, "channelType")).lower()
        names: dict[str, Any] = {"name": text_in(channel, "name"), "team_name": team_name, "team_group": group}
        names["channel_kind"] = kind
        await self._references.name(place.workspace, known.id, **names)
        return self._channel(place, replace(known, **names))

    def _channel(self, place: Place, known: Conversation) -> PlaceInfo:
        """A channel is private until it is known otherwise; what Teams says is only what kind it is in its team."""
        mine = {known.team, known.team_group} - {""}
        everybodys = _EVERY in self._settings.open_teams or bool(mine & set(self._settings.open_teams))
        return PlaceInfo(
            place=place.root,
            name=known.name or known.team_name or "General",  # the first channel has no name: it is the team's
            private=known.channel_kind != "standard" or not everybodys,
            outsiders=known.channel_kind == "shared",
        )

    async def members(self, place: Place) -> list[PersonRef]:
        """Everybody in this chat or channel; in a standard channel that is everybody in its team."""
        known = await self._references.conversation(place.workspace, place.channel)
        if known is None or known.gone:
            raise LookupError("the bot is not in this conversation")
        found: list[tuple[str, Account]] = []
        query = {"pageSize": str(_PAGE)}
        while True:
            path = ("conversations", known.id, "pagedmembers")
            try:
                answer = await self._connector.call(known.service_url, "GET", *path, query=query)
            except TeamsError as error:
                if error.gone:
                    raise LookupError("the bot is not in this conversation any more") from error
                raise
            for member in dicts_in(answer, "members"):
                if person_id(member) and text_in(member, "id") != known.bot:
                    found.append((person_id(member), Account(id=text_in(member, "id"), seen_in=known.id)))
            more = text_in(answer, "continuationToken")
            if not more:
                break
            query["continuationToken"] = more
        await self._references.meet(place.workspace, found)
        return [PersonRef(PLATFORM, place.workspace, person) for person, _ in found]


def profile_of(ref: PersonRef, member: Mapping[str, Any], time_zone: str) -> Profile:
    """A member (https://learn.microsoft.com/dotnet/api/microsoft.bot.schema.teams.teamschannelaccount) as a profile.

    Who belongs to another tenant is a guest, and brings no e-mail address: that organisation has verified it, not this
    one, and accounts are joined by it.
    """
    if not person_id(member):
        raise DeliveryError("Teams did not say who this is", retry_after=2.0)
    tenant = text_in(member, "tenantId")
    elsewhere = bool(tenant) and tenant != ref.workspace
    role = (text_in(member, "userRole") or text_in(member, "role")).lower()
    invited = "#EXT#" in text_in(member, "userPrincipalName").upper()
    email = text_in(member, "email")
    names = (text_in(member, "name"), f"{text_in(member, 'givenName')} {text_in(member, 'surname')}".strip())
    return Profile(
        ref=ref,
        name=next((name for name in names if name), "Somebody"),
        email=email if email and not elsewhere and role != "anonymous" else None,
        time_zone=time_zone or "UTC",
        guest=elsewhere or invited or role in _OUTSIDE,
    )
