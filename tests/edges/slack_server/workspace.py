"""A workspace in a test's hands: its people and channels, and what its administrators do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .inbound import Delivery
from .people import Person
from .state import Channel, SlackError, Team, User, new_id

if TYPE_CHECKING:
    from .server import SlackServer


class Workspace:
    """Acts return when the bot has answered the first try of what it was told of them."""

    def __init__(self, server: SlackServer, team: Team) -> None:
        self.server = server
        self.team = team

    @property
    def bot(self) -> User:
        """The bot's user."""
        return self.team.bot()

    @property
    def token(self) -> str:
        """The bot's token."""
        assert self.team.installation, "the app is not installed"
        return self.team.installation.token

    def person(self, name: str, *, email: str | None = None, stranger_of: str = "", **more: Any) -> Person:
        """Somebody new. `stranger_of`: the id of the other organisation they belong to.

        `more`: title, tz, restricted, ultra_restricted, …, as in `state.User`.
        """
        handle = name.casefold().replace(" ", ".")
        user = User(
            id=new_id("U"), team_id=stranger_of or self.team.id, name=handle, real_name=name,
            email=None if stranger_of else email or f"{handle}@{self.team.domain}.example",
            stranger=bool(stranger_of), **more,
        )  # fmt: skip
        self.team.users[user.id] = user
        return Person(self.server, self.team, user)

    def channel(self, name: str, *members: Person | User, private: bool = False, bot: bool = True) -> Channel:
        """A channel that has been there for long, with these members, and the bot unless it is left out."""
        ids = [member.id for member in members] + ([self.bot.id] if bot else [])
        channel = self.server.new_channel(self.team, name, private=private, members=ids)
        if any(self.team.users[one].stranger for one in ids):
            channel.connected_teams = sorted({self.team.users[one].team_id for one in ids} - {self.team.id})
        return channel

    async def _tell(self, deliveries: list[Delivery]) -> None:
        await self.server.tried(deliveries)

    # --- channels ---

    async def invites_bot(self, channel: Channel, by: Person) -> None:
        """The bot is added to a channel."""
        channel.members.append(self.bot.id)
        await self._tell(self.server.events.joined(self.team, channel, self.bot.id, inviter=by.id))

    async def removes(self, member: Person | User, channel: Channel) -> None:
        """Somebody, or the bot, is removed from a channel."""
        channel.members.remove(member.id)
        await self._tell(self.server.events.left(self.team, channel, member.id))

    async def renames(self, channel: Channel, name: str) -> None:
        """channel_rename, group_rename."""
        channel.name = name
        about = {"id": channel.id, "name": name, "name_normalized": name, "created": channel.created}
        await self._tell(self.server.events.about_channel(self.team, channel, "rename", channel=about))

    async def archives(self, channel: Channel, by: Person) -> None:
        """channel_archive, group_archive."""
        channel.archived = True
        more = {"user": by.id} | ({"is_moved": 0} if channel.kind == "public" else {})
        await self._tell(self.server.events.about_channel(self.team, channel, "archive", **more))

    async def unarchives(self, channel: Channel, by: Person) -> None:
        """channel_unarchive, group_unarchive."""
        channel.archived = False
        await self._tell(self.server.events.about_channel(self.team, channel, "unarchive", user=by.id))

    async def deletes(self, channel: Channel, by: Person) -> None:
        """channel_deleted, group_deleted."""
        deliveries = self.server.events.about_channel(self.team, channel, "deleted", actor_id=by.id)
        del self.team.channels[channel.id]
        await self._tell(deliveries)

    async def makes_private(self, channel: Channel, by: Person) -> None:
        """The id stays; the channel's members read a line of Slack's."""
        channel.kind = "private"
        text = "made this channel *private*. Now, it can only be viewed or joined by invitation."
        events = self.server.events
        await self._tell(events.notice(self.team, channel, "channel_convert_to_private", by.id, text))

    async def makes_public(self, channel: Channel, by: Person) -> None:
        """The id stays; the channel's members read a line of Slack's."""
        channel.kind = "public"
        text = "made this channel *public*. Any member in this workspace can see and join it."
        events = self.server.events
        await self._tell(events.notice(self.team, channel, "channel_convert_to_public", by.id, text))

    async def shares(self, channel: Channel, with_team: str) -> None:
        """channel_shared: another organisation is let in, over Slack Connect."""
        channel.connected_teams.append(with_team)
        event = {"type": "channel_shared", "channel": channel.id, "connected_team_id": with_team}
        public = channel.kind == "public"
        await self._tell(self.server.events.emit(self.team, event, channel=channel, members_only=not public))

    async def unshares(self, channel: Channel, with_team: str) -> None:
        """channel_unshared."""
        channel.connected_teams.remove(with_team)
        event = {"type": "channel_unshared", "channel": channel.id,
                 "previously_connected_team_id": with_team, "is_ext_shared": bool(channel.connected_teams)}  # fmt: skip
        public = channel.kind == "public"
        await self._tell(self.server.events.emit(self.team, event, channel=channel, members_only=not public))

    # --- people ---

    async def changes_profile(self, person: Person, **changes: Any) -> None:
        """user_change (and user_profile_changed): any of `state.User`'s fields."""
        for name, value in changes.items():
            if not hasattr(person.user, name):
                raise AttributeError(name)
            setattr(person.user, name, value)
        person.user.updated += 1
        cache = {"cache_ts": person.user.updated}
        deliveries = self.server.events.about_person(self.team, person.user, "user_change", **cache)
        deliveries += self.server.events.about_person(self.team, person.user, "user_profile_changed", **cache)
        await self._tell(deliveries)

    async def deactivates(self, person: Person) -> None:
        """The account is switched off: it leaves every channel without further events, and user_change says so."""
        for channel in self.team.channels.values():
            if person.id in channel.members and channel.kind in ("public", "private"):
                channel.members.remove(person.id)
        await self.changes_profile(person, deleted=True)

    async def welcomes(self, person: Person) -> None:
        """team_join, for somebody made with `person`."""
        await self._tell(self.server.events.about_person(self.team, person.user, "team_join"))

    async def sets_dnd(self, person: Person, *, start: int, end: int) -> None:
        """dnd_updated_user."""
        person.user.dnd = {"dnd_enabled": True, "next_dnd_start_ts": start, "next_dnd_end_ts": end}
        event = {"type": "dnd_updated_user", "user": person.id, "dnd_status": person.user.dnd}
        await self._tell(self.server.events.emit(self.team, event))

    # --- the app ---

    def approves_installation(self, by: Person, *, scopes: frozenset[str] | None = None, redirect_uri: str = "") -> str:
        """Somebody presses "Allow" on the consent page: the `code` of the redirect."""
        return self.server.oauth.code(self.team, by.id, scopes, redirect_uri)

    async def uninstalls_app(self) -> None:
        """tokens_revoked and app_uninstalled; the token is dead from now on."""
        await self._tell(self._revoked("account_inactive") + self.server.events.emit(
            self.team, {"type": "app_uninstalled"}))  # fmt: skip

    async def revokes_tokens(self) -> None:
        """tokens_revoked alone."""
        await self._tell(self._revoked("token_revoked"))

    def _revoked(self, error: str) -> list[Delivery]:
        if self.team.installation is None:
            raise SlackError("not_installed")
        self.team.installation.dead = error
        event = {"type": "tokens_revoked", "tokens": {"oauth": [], "bot": [self.bot.id]}}
        return self.server.events.emit(self.team, event)
