"""What our Slack holds: teams with people, channels, messages, views, tokens. Plain data, no network.

Field names of the JSON forms: https://docs.slack.dev/reference/objects/
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import Any, Literal

Json = dict[str, Any]
Kind = Literal["public", "private", "im", "mpim"]

_numbers = itertools.count(1)
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def new_id(prefix: str) -> str:
    """An id as Slack makes them: a letter for the kind, then capitals and digits; never the same twice."""
    number, digits = next(_numbers) + 36**4, ""
    while number:
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
    return f"{prefix}0{digits.rjust(9, 'A')}"


class SlackError(Exception):
    """`{"ok": false, "error": code, …}`."""

    def __init__(self, code: str, **more: Any) -> None:
        super().__init__(code)
        self.body: Json = {"ok": False, "error": code, **more}


@dataclass(kw_only=True)
class User:
    """A person, or the bot, as the workspace knows them. `stranger`: of another organisation, over Slack Connect."""

    id: str
    team_id: str
    name: str
    real_name: str
    email: str | None = None
    title: str = ""
    tz: str = "Europe/Amsterdam"
    tz_offset: int = 3600
    deleted: bool = False
    restricted: bool = False
    ultra_restricted: bool = False
    stranger: bool = False
    email_confirmed: bool = True
    bot_id: str | None = None
    status_text: str = ""
    status_emoji: str = ""
    status_expiration: int = 0
    dnd: Json = field(default_factory=dict)
    updated: int = 1

    @property
    def guest(self) -> bool:
        return self.restricted or self.ultra_restricted

    def as_profile(self, *, with_email: bool) -> Json:
        """The profile object. Without `users:read.email` there is no `email` in it."""
        profile: Json = {
            "title": self.title,
            "phone": "",
            "real_name": self.real_name,
            "real_name_normalized": self.real_name,
            "display_name": self.real_name.split()[0],
            "display_name_normalized": self.real_name.split()[0],
            "status_text": self.status_text,
            "status_emoji": self.status_emoji,
            "status_expiration": self.status_expiration,
            "avatar_hash": "g0000000",
            "image_72": "https://secure.gravatar.com/avatar/0?s=72",
            "team": self.team_id,
        }
        if with_email and self.email:
            profile["email"] = self.email
        if self.bot_id:
            profile |= {"bot_id": self.bot_id, "always_active": True}
        return profile

    def as_json(self, *, with_email: bool) -> Json:
        """The user object of users.info and of the events about people."""
        user: Json = {
            "id": self.id,
            "team_id": self.team_id,
            "name": self.name,
            "deleted": self.deleted,
            "profile": self.as_profile(with_email=with_email),
            "is_bot": self.bot_id is not None,
            "is_app_user": False,
            "updated": self.updated,
        }
        if self.deleted:
            return user
        user |= {
            "color": "9f69e7",
            "real_name": self.real_name,
            "tz": self.tz,
            "tz_label": self.tz,
            "tz_offset": self.tz_offset,
            "is_admin": False,
            "is_owner": False,
            "is_primary_owner": False,
            "is_restricted": self.restricted,
            "is_ultra_restricted": self.ultra_restricted,
            "is_email_confirmed": self.email_confirmed,
            "who_can_share_contact_card": "EVERYONE",
        }
        if self.stranger:
            user["is_stranger"] = True
        return user


@dataclass(kw_only=True)
class Message:
    """A message in a channel. `only_for` makes it ephemeral: one person sees it, until they reload."""

    channel: str
    ts: str
    user: str
    text: str
    team_id: str
    blocks: list[Json] = field(default_factory=list)
    attachments: list[Json] = field(default_factory=list)
    unfurls: dict[str, Json] = field(default_factory=dict)
    thread_ts: str | None = None
    broadcast: bool = False
    metadata: Json | None = None
    bot_id: str | None = None
    app_id: str | None = None
    subtype: str | None = None
    edited: Json | None = None
    reactions: dict[str, list[str]] = field(default_factory=dict)
    files: list[Json] = field(default_factory=list)
    client_msg_id: str | None = None
    only_for: str | None = None

    @property
    def root(self) -> str:
        """The ts of the thread this is in, or would be the root of."""
        return self.thread_ts or self.ts

    def as_json(self, *, with_metadata: bool = False) -> Json:
        """The message object of histories, events and interactions."""
        it: Json = {"type": "message", "user": self.user, "ts": self.ts, "text": self.text, "team": self.team_id}
        optional = {
            "subtype": self.subtype,
            "client_msg_id": self.client_msg_id,
            "bot_id": self.bot_id,
            "app_id": self.app_id,
            "thread_ts": self.thread_ts,
            "edited": self.edited,
            "blocks": self.blocks,
            "attachments": [*self.attachments, *self.unfurls.values()],
            "files": self.files,
            "metadata": self.metadata if with_metadata else None,
        }
        it |= {name: value for name, value in optional.items() if value}
        if self.reactions:
            it["reactions"] = [{"name": n, "users": u, "count": len(u)} for n, u in self.reactions.items()]
        return it


@dataclass(kw_only=True)
class Channel:
    """A conversation of any kind. `im`: the direct one of the bot with `peer`."""

    id: str
    team_id: str
    name: str
    kind: Kind
    creator: str
    created: int
    members: list[str] = field(default_factory=list)
    messages: dict[str, Message] = field(default_factory=dict)
    archived: bool = False
    connected_teams: list[str] = field(default_factory=list)
    topic: str = ""
    peer: str | None = None

    @property
    def type_name(self) -> str:
        """As in `channel_type` of message events."""
        return {"public": "channel", "private": "group", "im": "im", "mpim": "mpim"}[self.kind]

    @property
    def scope_family(self) -> str:
        """As in `channels:read`, `groups:history`."""
        return {"public": "channels", "private": "groups", "im": "im", "mpim": "mpim"}[self.kind]

    def visible_to(self, user: User) -> bool:
        """Members see a channel; everybody but guests and strangers a public one."""
        return user.id in self.members or (self.kind == "public" and not (user.guest or user.stranger))

    def replies(self, root: str) -> list[Message]:
        """The messages below a root, oldest first, ephemeral ones left out."""
        return [m for m in self.messages.values() if m.thread_ts == root and m.ts != root and not m.only_for]

    def message_json(self, message: Message, *, with_metadata: bool = False) -> Json:
        """The message, with what a thread's root says about its replies."""
        it = message.as_json(with_metadata=with_metadata)
        if replies := self.replies(message.ts):
            users = list(dict.fromkeys(reply.user for reply in replies))
            it |= {"thread_ts": message.ts, "reply_count": len(replies), "reply_users": users}
            it |= {"reply_users_count": len(users), "latest_reply": replies[-1].ts, "subscribed": False}
        elif message.thread_ts and (root := self.messages.get(message.thread_ts)):
            it["parent_user_id"] = root.user
        return it

    def as_json(self, viewer: str, *, with_count: bool = False) -> Json:
        """The conversation object of conversations.info."""
        if self.kind == "im":
            return {"id": self.id, "created": self.created, "is_im": True, "is_org_shared": False,
                    "context_team_id": self.team_id, "is_archived": False, "user": self.peer,
                    "is_user_deleted": False, "is_open": True, "updated": self.created}  # fmt: skip
        shared = bool(self.connected_teams)
        it: Json = {
            "id": self.id,
            "name": self.name,
            "name_normalized": self.name,
            "is_channel": self.kind != "mpim",
            "is_group": False,
            "is_im": False,
            "is_mpim": self.kind == "mpim",
            "is_private": self.kind != "public",
            "created": self.created,
            "creator": self.creator,
            "is_archived": self.archived,
            "is_general": self.name == "general",
            "is_shared": shared,
            "is_ext_shared": shared,
            "is_org_shared": False,
            "is_pending_ext_shared": False,
            "is_member": viewer in self.members,
            "context_team_id": self.team_id,
            "shared_team_ids": [self.team_id, *self.connected_teams],
            "topic": {"value": self.topic, "creator": "", "last_set": 0},
            "purpose": {"value": "", "creator": "", "last_set": 0},
            "previous_names": [],
        }
        if with_count:
            it["num_members"] = len(self.members)
        return it


@dataclass(kw_only=True)
class View:
    """A modal or a home view, open before one person."""

    id: str
    team_id: str
    app_id: str
    bot_id: str
    user: str
    content: Json
    hash: str
    root: str
    previous: str | None = None
    values: Json = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def blocks(self) -> list[Json]:
        return list(self.content.get("blocks", []))

    def as_json(self) -> Json:
        """The view object of views.* and of interactions."""
        content = self.content
        return {
            "id": self.id,
            "team_id": self.team_id,
            "type": content["type"],
            "blocks": self.blocks,
            "private_metadata": content.get("private_metadata", ""),
            "callback_id": content.get("callback_id", ""),
            "state": {"values": self.values},
            "hash": self.hash,
            "title": content.get("title", {"type": "plain_text", "text": "View Title", "emoji": True}),
            "close": content.get("close"),
            "submit": content.get("submit"),
            "clear_on_close": content.get("clear_on_close", False),
            "notify_on_close": content.get("notify_on_close", False),
            "previous_view_id": self.previous,
            "root_view_id": self.root,
            "app_id": self.app_id,
            "external_id": content.get("external_id", ""),
            "app_installed_team_id": self.team_id,
            "bot_id": self.bot_id,
        }


@dataclass(kw_only=True)
class Installation:
    """The app in one team: its bot, token and scopes. `dead` is the error its token is answered with."""

    token: str
    bot_user: str
    bot_id: str
    scopes: frozenset[str]
    dead: str = ""


@dataclass(kw_only=True)
class Team:
    """A workspace."""

    id: str
    name: str
    domain: str
    users: dict[str, User] = field(default_factory=dict)
    channels: dict[str, Channel] = field(default_factory=dict)
    homes: dict[str, View] = field(default_factory=dict)
    modals: dict[str, list[View]] = field(default_factory=dict)  # of each person, the stack, top last
    installation: Installation | None = None

    def bot(self) -> User:
        """The bot's user."""
        assert self.installation, f"the app is not installed in {self.name}"
        return self.users[self.installation.bot_user]

    def view(self, view_id: str) -> View | None:
        """An open view by its id."""
        views = itertools.chain(self.homes.values(), *self.modals.values())
        return next((view for view in views if view.id == view_id), None)
