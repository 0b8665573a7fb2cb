"""The events of the Events API: who is told what, by subscription, scope and membership.

https://docs.slack.dev/reference/events
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .inbound import Delivery
from .state import Channel, Json, Message, Team, User, new_id

if TYPE_CHECKING:
    from .server import SlackServer

#: Any of these scopes lets the event through. A channel's family goes into the braces.
_SCOPES = {
    "app_mention": ("app_mentions:read",),
    "channel": ("channels:read",),
    "dnd": ("dnd:read",),
    "group": ("groups:read",),
    "link_shared": ("links:read",),
    "member": ("{}:read",),
    "message": ("{}:history",),
    "reaction": ("reactions:read",),
    "team_join": ("users:read",),
    "user": ("users:read",),
}


class Events:
    """Makes events of what happens, and hands them to the sender. Every method returns the deliveries it began."""

    def __init__(self, server: SlackServer) -> None:
        self._server = server

    def emit(
        self,
        team: Team,
        event: Json,
        *,
        channel: Channel | None = None,
        subscription: str = "",
        members_only: bool = True,
    ) -> list[Delivery]:
        """Tell the bot, if the app has subscribed, its scopes allow it, and its bot is there to hear it."""
        server, kind = self._server, subscription or event["type"]
        installation = team.installation
        if installation is None or kind not in server.subscriptions:
            return []
        if installation.dead and kind not in ("app_uninstalled", "tokens_revoked"):
            return []
        key = next((name for name in _SCOPES if kind == name or kind.startswith((name + "_", name + "."))), "")
        family = channel.scope_family if channel else ""
        needed = {scope.format(family) for scope in _SCOPES.get(key, ())}
        if needed and not needed & installation.scopes:
            return []
        if channel and members_only and installation.bot_user not in channel.members:
            return []
        return [server.inbound.deliver("events_api", self.envelope(team, event, channel))]

    def envelope(self, team: Team, event: Json, channel: Channel | None = None) -> Json:
        """The outer payload."""
        server = self._server
        bot = team.installation.bot_user if team.installation else ""
        return {
            "token": server.verification_token,
            "team_id": team.id,
            "context_team_id": team.id,
            "context_enterprise_id": None,
            "api_app_id": server.app_id,
            "event": {"event_ts": event.get("ts") or server.next_ts(), **event},
            "type": "event_callback",
            "event_id": new_id("Ev"),
            "event_time": int(server.clock.now().timestamp()),
            "authorizations": [
                {"enterprise_id": None, "team_id": team.id, "user_id": bot, "is_bot": True,
                 "is_enterprise_install": False}
            ],
            "is_ext_shared_channel": bool(channel and channel.connected_teams),
            "event_context": f"4-{new_id('EC')}",
        }  # fmt: skip

    def _message(self, team: Team, channel: Channel, event: Json) -> list[Delivery]:
        event = {"type": "message", "channel": channel.id, "channel_type": channel.type_name, **event}
        plural = {"public": "channels", "private": "groups", "im": "im", "mpim": "mpim"}[channel.kind]
        return self.emit(team, event, channel=channel, subscription=f"message.{plural}")

    def said(self, team: Team, channel: Channel, message: Message) -> list[Delivery]:
        """A new message; a mention of the bot; links to the app's domains."""
        event = message.as_json(with_metadata=True)
        author = team.users[message.user]
        if author.stranger:
            event |= {"user_team": author.team_id, "source_team": author.team_id, "team": author.team_id}
        if message.thread_ts and (root := channel.messages.get(message.thread_ts)):
            event["parent_user_id"] = root.user
        if author.bot_id:
            event["bot_profile"] = self._server.bot_profile(team)
        deliveries = self._message(team, channel, event)
        bot = team.installation.bot_user if team.installation else "nobody"
        if f"<@{bot}>" in message.text and channel.kind != "im":
            mention = {**event, "type": "app_mention", "channel": channel.id}
            deliveries += self.emit(team, mention, channel=channel)
        return deliveries + self._links(team, channel, message, bot)

    def _links(self, team: Team, channel: Channel, message: Message, bot: str) -> list[Delivery]:
        links = self._server.links_in(message.text)
        if not links or message.user == bot:
            return []
        unfurl_id = self._server.new_unfurl(channel, message)
        event: Json = {"type": "link_shared", "channel": channel.id, "user": message.user, "message_ts": message.ts,
                       "is_bot_user_member": bot in channel.members, "unfurl_id": unfurl_id,
                       "source": "conversations_history", "links": links}  # fmt: skip
        if message.thread_ts:
            event["thread_ts"] = message.thread_ts
        return self.emit(team, event, channel=channel, members_only=False)

    def changed(self, team: Team, channel: Channel, message: Message, previous: Json) -> list[Delivery]:
        """A message was edited."""
        event = {"subtype": "message_changed", "message": channel.message_json(message, with_metadata=True),
                 "previous_message": previous, "hidden": True, "ts": self._server.next_ts()}  # fmt: skip
        return self._message(team, channel, event)

    def delete(self, team: Team, channel: Channel, message: Message) -> list[Delivery]:
        """Delete a message. Of a root with replies a tombstone stays, and that is a change, not a deletion."""
        if message.only_for:
            del channel.messages[message.ts]
            return []
        if channel.replies(message.ts):
            previous = message.as_json()
            message.text, message.blocks, message.attachments = "This message was deleted.", [], []
            message.subtype, message.user, message.metadata = "tombstone", self._server.slackbot(team).id, None
            message.unfurls, message.files, message.bot_id = {}, [], None
            return self.changed(team, channel, message, previous)
        del channel.messages[message.ts]
        event = {"subtype": "message_deleted", "deleted_ts": message.ts, "previous_message": message.as_json(),
                 "hidden": True, "ts": self._server.next_ts()}  # fmt: skip
        return self._message(team, channel, event)

    def notice(self, team: Team, channel: Channel, subtype: str, user: str, text: str, **more: Any) -> list[Delivery]:
        """A line that Slack itself writes into a channel, such as `channel_join`."""
        message = Message(
            channel=channel.id, ts=self._server.next_ts(), user=user, team_id=team.id, text=text, subtype=subtype
        )
        channel.messages[message.ts] = message
        return self._message(team, channel, message.as_json() | more)

    def reacted(
        self, team: Team, channel: Channel, message: Message, user: str, emoji: str, *, added: bool
    ) -> list[Delivery]:
        """An emoji was put on a message, or taken away."""
        item = {"type": "message", "channel": channel.id, "ts": message.ts}
        kind = "reaction_added" if added else "reaction_removed"
        event = {"type": kind, "user": user, "reaction": emoji, "item": item, "item_user": message.user}
        return self.emit(team, event, channel=channel)

    def joined(self, team: Team, channel: Channel, user: str, inviter: str | None = None) -> list[Delivery]:
        """A person, or the bot, came into a channel."""
        letter = "C" if channel.kind == "public" else "G"
        event = {"type": "member_joined_channel", "user": user, "channel": channel.id, "channel_type": letter,
                 "team": team.users[user].team_id}  # fmt: skip
        event |= {"inviter": inviter} if inviter else {}
        text = f"<@{user}> has joined the channel"
        kind = "channel_join" if channel.kind == "public" else "group_join"
        return self.emit(team, event, channel=channel) + self.notice(team, channel, kind, user, text)

    def left(self, team: Team, channel: Channel, user: str) -> list[Delivery]:
        """A person, or the bot, left a channel or was removed."""
        letter = "C" if channel.kind == "public" else "G"
        event = {"type": "member_left_channel", "user": user, "channel": channel.id, "channel_type": letter,
                 "team": team.users[user].team_id}  # fmt: skip
        if self._server.is_bot(team, user):
            family = "channel_left" if channel.kind == "public" else "group_left"
            gone = {"type": family, "channel": channel.id, "actor_id": channel.creator}
            return self.emit(team, gone, channel=channel, members_only=False)
        return self.emit(team, event, channel=channel)

    def about_channel(self, team: Team, place: Channel, what: str, **more: Any) -> list[Delivery]:
        """`channel_{what}`, or for a private channel `group_{what}`: rename, archive, unarchive, deleted, …"""
        public = place.kind == "public"
        event = {"type": f"{'channel' if public else 'group'}_{what}", **({"channel": place.id} | more)}
        return self.emit(team, event, channel=place, members_only=not public)

    def about_person(self, team: Team, user: User, kind: str, **more: Any) -> list[Delivery]:
        """user_change and its like, and team_join."""
        with_email = bool(team.installation and "users:read.email" in team.installation.scopes)
        return self.emit(team, {"type": kind, "user": user.as_json(with_email=with_email), **more})
