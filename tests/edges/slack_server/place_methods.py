"""auth.*, conversations.*, users.*, team.*, dnd.*, bots.*: who and where. https://docs.slack.dev/reference/methods"""

from __future__ import annotations

from .state import Channel, Json, Message, SlackError
from .web_api import Call, method


@method("auth.test")
async def auth_test(call: Call) -> Json:
    return {
        "url": f"https://{call.team.domain}.slack.com/",
        "team": call.team.name,
        "user": call.bot.name,
        "team_id": call.team.id,
        "user_id": call.bot.id,
        "bot_id": call.installation.bot_id,
        "is_enterprise_install": False,
    }


@method("auth.revoke")
async def auth_revoke(call: Call) -> Json:
    if call.flag("test"):
        return {"revoked": False}
    call.installation.dead = "token_revoked"
    return {"revoked": True}


@method("oauth.v2.access")
@method("apps.connections.open")
async def answered_before_the_door(call: Call) -> Json:
    """These two take other credentials than a bot's token: see `WebApi`."""
    raise AssertionError(call.method)


@method("bots.info")
async def bots_info(call: Call) -> Json:
    if call.text("bot") not in ("", call.installation.bot_id):
        raise SlackError("bot_not_found")
    profile = call.server.bot_profile(call.team)
    return {"bot": profile | {"user_id": call.bot.id}}


@method("team.info")
async def team_info(call: Call) -> Json:
    team = call.team
    return {"team": {"id": team.id, "name": team.name, "domain": team.domain, "email_domain": "", "icon": {}}}


@method("users.info")
async def users_info(call: Call) -> Json:
    return {"user": call.user().as_json(with_email="users:read.email" in call.installation.scopes)}


@method("users.list")
async def users_list(call: Call) -> Json:
    users, metadata = call.page(list(call.team.users.values()))
    with_email = "users:read.email" in call.installation.scopes
    return {"members": [u.as_json(with_email=with_email) for u in users], "response_metadata": metadata}


@method("users.lookupByEmail")
async def lookup_by_email(call: Call) -> Json:
    email = call.text("email").casefold()
    for user in call.team.users.values():
        if user.email and user.email.casefold() == email and not user.deleted:
            return {"user": user.as_json(with_email=True)}
    raise SlackError("users_not_found")


@method("users.profile.get")
async def profile_get(call: Call) -> Json:
    user = call.user() if call.text("user") else call.bot
    return {"profile": user.as_profile(with_email="users:read.email" in call.installation.scopes)}


@method("dnd.info")
async def dnd_info(call: Call) -> Json:
    user = call.user() if call.text("user") else call.bot
    return {"dnd_enabled": False, "next_dnd_start_ts": 1, "next_dnd_end_ts": 1, "snooze_enabled": False} | user.dnd


@method("conversations.open")
async def conversations_open(call: Call) -> Json:
    if call.text("channel"):
        channel = call.channel()
    else:
        ids = [one for one in call.text("users").split(",") if one]
        if not ids:
            raise SlackError("users_list_not_supplied")
        if any(one not in call.team.users for one in ids):
            raise SlackError("user_not_found")
        users = [call.team.users[one] for one in ids]
        if any(user.deleted for user in users):
            raise SlackError("user_disabled")
        if any(user.bot_id for user in users):
            raise SlackError("cannot_dm_bot")
        call.need("im:write" if len(users) == 1 else "mpim:write")
        if len(users) == 1:
            channel = call.server.direct_of(call.team, users[0])
        else:
            channel = call.server.group_direct_of(call.team, users)
    return {"channel": channel.as_json(call.bot.id) if call.flag("return_im") else {"id": channel.id}}


@method("conversations.info")
async def conversations_info(call: Call) -> Json:
    channel = call.channel(family="read")
    return {"channel": channel.as_json(call.bot.id, with_count=call.flag("include_num_members"))}


@method("conversations.members")
async def conversations_members(call: Call) -> Json:
    members, metadata = call.page(call.channel(family="read").members)
    return {"members": members, "response_metadata": metadata}


@method("conversations.join")
async def conversations_join(call: Call) -> Json:
    channel = call.channel()
    if channel.kind != "public":
        raise SlackError("method_not_supported_for_channel_type")
    if channel.archived:
        raise SlackError("is_archived")
    if call.bot.id in channel.members:
        return {"channel": channel.as_json(call.bot.id), "warning": "already_in_channel"}
    channel.members.append(call.bot.id)
    call.server.events.joined(call.team, channel, call.bot.id)
    return {"channel": channel.as_json(call.bot.id)}


def _listed(call: Call, *, member: str | None) -> Json:
    families = {"public_channel": "public", "private_channel": "private", "im": "im", "mpim": "mpim"}
    types = [one.strip() for one in (call.text("types") or "public_channel").split(",")]
    if any(one not in families for one in types):
        raise SlackError("invalid_types")
    kinds = {families[one] for one in types}
    found = [
        channel
        for channel in call.team.channels.values()
        if channel.kind in kinds
        and channel.visible_to(call.bot)
        and (member is None or member in channel.members)
        and not (channel.archived and call.flag("exclude_archived"))
    ]
    for channel in found:
        call.need(f"{channel.scope_family}:read")
    channels, metadata = call.page(found)
    return {"channels": [one.as_json(call.bot.id) for one in channels], "response_metadata": metadata}


@method("conversations.list")
async def conversations_list(call: Call) -> Json:
    return _listed(call, member=None)


@method("users.conversations")
async def users_conversations(call: Call) -> Json:
    return _listed(call, member=call.text("user") or call.bot.id)


def _within(call: Call, messages: list[Message]) -> list[Message]:
    """Those between `oldest` and `latest`; the ends only if `inclusive`."""
    oldest, latest = call.text("oldest") or "0", call.text("latest") or "9" * 12
    try:
        low, high = float(oldest), float(latest)
    except ValueError:
        raise SlackError("invalid_ts_oldest") from None
    inclusive = call.flag("inclusive")
    return [
        m for m in messages if low < float(m.ts) < high or (inclusive and m.ts in (oldest, latest))
    ]  # fmt: skip


def _history(call: Call, channel: Channel, messages: list[Message], default: int) -> Json:
    page, metadata = call.page(messages, default=default)
    with_metadata = call.flag("include_all_metadata")
    shown = [channel.message_json(message, with_metadata=with_metadata) for message in page]
    more = bool(metadata["next_cursor"])
    return {"messages": shown, "has_more": more} | ({"response_metadata": metadata} if more else {})


def _readable(call: Call) -> Channel:
    channel = call.channel(family="history")
    if call.bot.id not in channel.members:
        raise SlackError("not_in_channel")
    return channel


@method("conversations.history")
async def conversations_history(call: Call) -> Json:
    channel = _readable(call)
    messages = [m for m in channel.messages.values() if not m.only_for and (m.thread_ts in (None, m.ts) or m.broadcast)]
    return _history(call, channel, _within(call, messages)[::-1], 100)


@method("conversations.replies")
async def conversations_replies(call: Call) -> Json:
    channel = _readable(call)
    root = channel.messages.get(call.text("ts"))
    if root is None or root.only_for:
        raise SlackError("thread_not_found")
    root = channel.messages.get(root.root, root)
    replies = [root, *_within(call, channel.replies(root.ts))]
    return _history(call, channel, replies, 1000)
