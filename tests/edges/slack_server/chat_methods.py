"""chat.*, reactions.*, files.*: what the bot says. https://docs.slack.dev/reference/methods#chat"""

from __future__ import annotations

import emoji

from .state import Channel, Json, Message, SlackError, new_id
from .web_api import Call, method


def _speakable(call: Call, channel: Channel) -> Channel:
    """Refuse what Slack refuses before a message may go into a channel."""
    if channel.archived:
        raise SlackError("is_archived")
    anywhere = channel.kind == "public" and "chat:write.public" in call.installation.scopes
    if call.bot.id not in channel.members and not anywhere:
        raise SlackError("not_in_channel")
    return channel


def _destination(call: Call) -> Channel:
    """A channel by its id, or the direct conversation with a person by theirs."""
    target = call.text("channel")
    if target.startswith("U"):
        return call.server.direct_of(call.team, call.user("channel"))
    return call.channel()


def _thread(call: Call, channel: Channel) -> str | None:
    thread = call.text("thread_ts")
    if not thread:
        return None
    root = channel.messages.get(thread)
    if root is None or root.only_for:
        raise SlackError("thread_not_found")
    return root.root


def _said(call: Call, channel: Channel) -> Message:
    return Message(
        channel=channel.id,
        ts=call.server.next_ts(),
        user=call.bot.id,
        team_id=call.team.id,
        text=call.text("text") or call.text("markdown_text"),
        blocks=call.server.with_ids(call.arguments.get("blocks") or []),
        attachments=call.server.attachments_with_ids(call.arguments.get("attachments") or []),
        thread_ts=_thread(call, channel),
        bot_id=call.installation.bot_id,
        app_id=call.server.app_id,
    )


@method("chat.postMessage")
async def post_message(call: Call) -> Json:
    channel = _speakable(call, _destination(call))
    if call.server.pacing and (wait := call.server.pacing.wait(channel.id)):
        raise SlackError("ratelimited", retry_after=wait)
    message = _said(call, channel)
    message.metadata = call.arguments.get("metadata") or None
    if message.thread_ts and call.flag("reply_broadcast"):
        message.broadcast, message.subtype = True, "thread_broadcast"
    channel.messages[message.ts] = message
    call.server.events.said(call.team, channel, message)
    said = channel.message_json(message, with_metadata=True) | {"bot_profile": call.server.bot_profile(call.team)}
    return {"channel": channel.id, "ts": message.ts, "message": said}


@method("chat.postEphemeral")
async def post_ephemeral(call: Call) -> Json:
    channel = call.channel()
    if channel.archived:
        raise SlackError("is_archived")
    if call.bot.id not in channel.members:
        raise SlackError("not_in_channel")
    if call.text("user") not in channel.members:
        raise SlackError("user_not_in_channel")
    message = _said(call, channel)
    message.only_for = call.text("user")
    channel.messages[message.ts] = message
    return {"message_ts": message.ts}


def _own(call: Call, error: str) -> tuple[Channel, Message]:
    channel = call.channel()
    message = channel.messages.get(call.text("ts"))
    if message is None or message.only_for:
        raise SlackError("message_not_found")
    if message.user != call.bot.id:
        raise SlackError(error)
    return channel, message


@method("chat.update")
async def update(call: Call) -> Json:
    channel, message = _own(call, "cant_update_message")
    if channel.archived:
        raise SlackError("is_archived")
    previous = message.as_json()
    change_message(call, message, call.arguments)
    if call.arguments.get("metadata") is not None:
        message.metadata = call.arguments["metadata"] or None
    call.server.events.changed(call.team, channel, message, previous)
    said = channel.message_json(message, with_metadata=True)
    return {"channel": channel.id, "ts": message.ts, "text": message.text, "message": said}


def change_message(call: Call, message: Message, new: Json) -> None:
    """New words: blocks stay only where neither text nor blocks are given; only plain text shows as edited."""
    text, blocks = new.get("text") or new.get("markdown_text"), new.get("blocks")
    if text is not None:
        message.text = str(text)
    if blocks is not None or text is not None:
        message.blocks = call.server.with_ids(blocks or [])
    if new.get("attachments") is not None:
        message.attachments = call.server.attachments_with_ids(new["attachments"])
    if not message.blocks and not message.attachments:
        message.edited = {"user": call.bot.id, "ts": call.server.next_ts()}


@method("chat.delete")
async def delete(call: Call) -> Json:
    channel, message = _own(call, "cant_delete_message")
    call.server.events.delete(call.team, channel, message)
    return {"channel": channel.id, "ts": message.ts}


@method("chat.getPermalink")
async def get_permalink(call: Call) -> Json:
    channel = call.channel()
    message = channel.messages.get(call.text("message_ts"))
    if message is None or message.only_for:
        raise SlackError("message_not_found")
    return {"channel": channel.id, "permalink": call.server.permalink(call.team, channel, message)}


@method("chat.unfurl")
async def unfurl(call: Call) -> Json:
    if call.text("unfurl_id"):
        found = call.server.unfurls.get(call.text("unfurl_id"))
        channel_id, ts = found or ("", "")
    else:
        channel_id, ts = call.text("channel"), call.text("ts")
    channel = call.team.channels.get(channel_id)
    message = channel.messages.get(ts) if channel else None
    if channel is None or message is None:
        raise SlackError("cannot_find_message" if channel else "cannot_find_channel")
    for url, preview in call.arguments["unfurls"].items():
        if url.replace("&", "&amp;") not in message.text and url not in message.text:
            raise SlackError("cannot_unfurl_url")
        [kept] = call.server.attachments_with_ids([preview])
        message.unfurls[url] = kept | {"from_url": url, "app_unfurl_url": url, "is_app_unfurl": True}
    return {}


def _reacted(call: Call) -> tuple[Channel, Message, list[str]]:
    channel = call.channel()
    message = channel.messages.get(call.text("timestamp"))
    if message is None or message.only_for:
        raise SlackError("message_not_found")
    if call.bot.id not in channel.members:
        raise SlackError("not_in_channel")
    name = call.text("name").strip(":")
    if emoji.emojize(f":{name}:", language="alias") == f":{name}:":
        raise SlackError("invalid_name")
    return channel, message, message.reactions.setdefault(name, [])


@method("reactions.add")
async def reactions_add(call: Call) -> Json:
    channel, message, users = _reacted(call)
    if call.bot.id in users:
        raise SlackError("already_reacted")
    users.append(call.bot.id)
    call.server.events.reacted(call.team, channel, message, call.bot.id, call.text("name"), added=True)
    return {}


@method("reactions.remove")
async def reactions_remove(call: Call) -> Json:
    channel, message, users = _reacted(call)
    if call.bot.id not in users:
        raise SlackError("no_reaction")
    users.remove(call.bot.id)
    message.reactions = {name: users for name, users in message.reactions.items() if users}
    call.server.events.reacted(call.team, channel, message, call.bot.id, call.text("name"), added=False)
    return {}


@method("reactions.get")
async def reactions_get(call: Call) -> Json:
    channel = call.channel()
    message = channel.messages.get(call.text("timestamp"))
    if message is None or message.only_for:
        raise SlackError("message_not_found")
    return {"type": "message", "channel": channel.id, "message": channel.message_json(message)}


@method("files.getUploadURLExternal")
async def get_upload_url(call: Call) -> Json:
    file_id = new_id("F")
    call.server.files[file_id] = {"id": file_id, "name": call.text("filename"), "size": int(call.text("length") or 0)}
    return {"upload_url": f"{call.server.url}/upload/{file_id}", "file_id": file_id}


@method("files.completeUploadExternal")
async def complete_upload(call: Call) -> Json:
    files = []
    for one in call.arguments["files"]:
        file = call.server.files.get(one["id"])
        if file is None or "content" not in file:
            raise SlackError("file_not_found")
        files.append({"id": file["id"], "name": file["name"], "title": one.get("title", file["name"])})
    if call.text("channel_id"):
        channel = _speakable(call, call.channel("channel_id"))
        message = _said(call, channel)
        message.text, message.files, message.subtype = call.text("initial_comment"), files, "file_share"
        channel.messages[message.ts] = message
        call.server.events.said(call.team, channel, message)
    return {"files": files}
