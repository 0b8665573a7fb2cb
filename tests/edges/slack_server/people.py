"""A person in a test's hands: says, presses and fills in what they see, and sees no more than they may.

Acts return when the bot has answered the first try of what it was told (three seconds at most).
"""

from __future__ import annotations

import html
import re
import uuid
from typing import TYPE_CHECKING, Any

from . import payloads
from .forms import choose, complaints, entered, fill
from .inbound import Attempt, Delivery
from .state import Channel, Json, Message, SlackError, Team, User, View
from .submissions import Submission, closes, submits
from .text import elements, message_text, view_text

if TYPE_CHECKING:
    from .server import SlackServer


class NotThere(LookupError):
    """This person cannot do that: it is not before their eyes."""


def typed(text: str, team: Team) -> str:
    """What Slack makes of typed text: escaped, with mentions and links in angle brackets."""
    escaped = html.escape(text, quote=False)
    escaped = re.sub(r"&lt;([@#])([UC][A-Z0-9]+)&gt;", r"<\1\2>", escaped)
    escaped = re.sub(r"(?<!\w)@(here|channel|everyone)\b", r"<!\1>", escaped)
    return re.sub(r"(?<![<\w])(https?://[^\s<>]+)", r"<\1>", escaped)


class Person:
    """One human in one workspace."""

    def __init__(self, server: SlackServer, team: Team, user: User) -> None:
        self.server = server
        self.team = team
        self.user = user

    @property
    def id(self) -> str:
        return self.user.id

    @property
    def mention(self) -> str:
        """To be written into a text."""
        return f"<@{self.id}>"

    @property
    def dm(self) -> Channel:
        """The direct conversation with the bot."""
        return self.server.direct_of(self.team, self.user)

    # --- what they say ---

    async def says(self, text: str, channel: Channel, *, thread: Message | None = None) -> Message:
        """A message in a channel, or in the thread below `thread`."""
        self._must_be_in(channel)
        if channel.archived:
            raise NotThere("nobody can write in an archived channel")
        words = typed(text, self.team)
        message = Message(
            channel=channel.id, ts=self.server.next_ts(), user=self.id, text=words, team_id=self.team.id,
            blocks=payloads.rich_text(words), thread_ts=thread.root if thread else None,
            client_msg_id=str(uuid.uuid4()),
        )  # fmt: skip
        channel.messages[message.ts] = message
        await self.server.tried(self.server.events.said(self.team, channel, message))
        return message

    async def dms(self, text: str, *, thread: Message | None = None) -> Message:
        """A direct message to the bot."""
        return await self.says(text, self.dm, thread=thread)

    async def mentions_bot(self, text: str, channel: Channel, *, thread: Message | None = None) -> Message:
        """A message that begins with the bot's name."""
        return await self.says(f"<@{self.team.bot().id}> {text}", channel, thread=thread)

    async def shares_link(self, url: str, channel: Channel, *, thread: Message | None = None) -> Message:
        """A message with a link in it: link_shared, if its domain is the app's."""
        return await self.says(f"Have a look at {url}", channel, thread=thread)

    async def edits(self, message: Message, text: str) -> None:
        """Their own message gets other words."""
        channel, previous = self._own(message), message.as_json()
        message.text = typed(text, self.team)
        message.blocks = payloads.rich_text(message.text)
        message.edited = {"user": self.id, "ts": self.server.next_ts()}
        await self.server.tried(self.server.events.changed(self.team, channel, message, previous))

    async def deletes(self, message: Message) -> None:
        """Their own message goes."""
        channel = self._own(message)
        await self.server.tried(self.server.events.delete(self.team, channel, message))

    async def reacts(self, emoji: str, message: Message) -> None:
        """An emoji on a message they see."""
        channel = self._seen(message)
        message.reactions.setdefault(emoji, []).append(self.id)
        events = self.server.events
        await self.server.tried(events.reacted(self.team, channel, message, self.id, emoji, added=True))

    async def unreacts(self, emoji: str, message: Message) -> None:
        """Their emoji taken away again."""
        channel = self._seen(message)
        message.reactions[emoji].remove(self.id)
        message.reactions = {name: users for name, users in message.reactions.items() if users}
        events = self.server.events
        await self.server.tried(events.reacted(self.team, channel, message, self.id, emoji, added=False))

    async def joins(self, channel: Channel, *, inviter: Person | None = None) -> None:
        """Into a public channel by themselves, into a private one if invited."""
        if inviter is None and not channel.visible_to(self.user):
            raise NotThere(f"{self.user.real_name} cannot see #{channel.name}")
        channel.members.append(self.id)
        by = inviter.id if inviter else None
        await self.server.tried(self.server.events.joined(self.team, channel, self.id, inviter=by))

    async def leaves(self, channel: Channel) -> None:
        """Out of a channel."""
        self._must_be_in(channel)
        channel.members.remove(self.id)
        await self.server.tried(self.server.events.left(self.team, channel, self.id))

    async def opens_home(self, tab: str = "home") -> None:
        """The app's home (or its messages tab): app_home_opened."""
        event: Json = {"type": "app_home_opened", "user": self.id, "channel": self.dm.id, "tab": tab}
        if tab == "home" and (view := self.team.homes.get(self.id)):
            event["view"] = view.as_json()
        await self.server.tried(self.server.events.emit(self.team, event))

    def reloads(self) -> None:
        """Their Slack starts anew: what only they saw for a while is gone."""
        for channel in self.team.channels.values():
            for ts in [ts for ts, message in channel.messages.items() if message.only_for == self.id]:
                del channel.messages[ts]
        self.team.modals.pop(self.id, None)

    # --- what they see ---

    def channels(self) -> list[Channel]:
        """Those they are in, and the public ones; none once their account is switched off."""
        if self.user.deleted:
            return []
        return [channel for channel in self.team.channels.values() if channel.visible_to(self.user)]

    def messages(self, channel: Channel | None = None) -> list[Message]:
        """What they can read, oldest first: in one channel, or everywhere."""
        channels = [one for one in self.channels() if channel is None or one is channel]
        found = [m for one in channels for m in one.messages.values() if m.only_for in (None, self.id)]
        return sorted(found, key=lambda message: message.ts)

    @property
    def modal(self) -> View | None:
        """The form before them."""
        stack = self.team.modals.get(self.id, [])
        return stack[-1] if stack else None

    @property
    def home(self) -> View | None:
        """Their home view."""
        return self.team.homes.get(self.id)

    def reads(self, message: Message) -> str:
        """The words of one message."""
        self._seen(message)
        return message_text(message, self.team)

    def sees(self, channel: Channel | None = None) -> str:
        """All they can read: one channel; or everything, their home view and the form before them last."""
        lines = []
        for message in self.messages(channel):
            name = self.team.users[message.user].real_name
            private = " (only visible to you)" if message.only_for else ""
            lines.append(f"{name}{private}: {message_text(message, self.team)}")
        views = [] if channel else [self.home, self.modal]
        return "\n".join(lines + [view_text(view, self.team) for view in views if view])

    def _must_be_in(self, channel: Channel) -> None:
        if self.id not in channel.members or self.user.deleted:
            raise NotThere(f"{self.user.real_name} is not in #{channel.name}")

    def _seen(self, message: Message) -> Channel:
        channel = self.team.channels.get(message.channel)
        if channel is None or message not in self.messages(channel):
            raise NotThere(f"{self.user.real_name} does not see this message")
        return channel

    def _own(self, message: Message) -> Channel:
        if message.user != self.id:
            raise NotThere("people change only what they wrote")
        return self._seen(message)

    # --- what they press ---

    async def command(self, command: str, text: str = "", *, channel: Channel | None = None) -> Attempt:
        """A slash command; what the bot answers in its acknowledgement is shown to them."""
        if command not in [one["command"] for one in self.server.feature("slash_commands")] or self.user.stranger:
            raise NotThere(f"{command} is not a valid command")
        where = channel or self.dm
        self._must_be_in(where)
        payload = payloads.command(self, where, command, self._typed_after(command, text))
        attempt = await self.server.inbound.deliver("slash_commands", payload).tried()
        if attempt.reason:
            error = "operation_timeout" if attempt.reason.endswith("timeout") else "dispatch_failed"
            self._slackbot(where, f'{command} failed with the error "{error}"')
        elif body := attempt.json():
            try:
                self.server.response_urls.answered(self.team, where, self.id, body)
            except SlackError:
                self._slackbot(where, f'{command} failed with the error "invalid_command_response"')
        return attempt

    def _typed_after(self, command: str, text: str) -> str:
        """Mentions come as ids only where the manifest says `should_escape`; the rest is escaped always."""
        wanted = next(one for one in self.server.feature("slash_commands") if one["command"] == command)
        words = typed(text, self.team)

        def named(match: re.Match[str]) -> str:
            sign, one = match.groups()
            found = self.team.users.get(one) if sign == "@" else self.team.channels.get(one)
            name = found.name if found else one
            return f"<{sign}{one}|{name}>" if wanted.get("should_escape") else sign + name

        return re.sub(r"<(https?://[^>]+)>", r"\1", re.sub(r"<([@#])([UC][A-Z0-9]+)>", named, words))

    def _slackbot(self, channel: Channel, text: str) -> None:
        slackbot = self.server.slackbot(self.team)
        message = Message(channel=channel.id, ts=self.server.next_ts(), user=slackbot.id, text=text,
                          team_id=self.team.id, only_for=self.id)  # fmt: skip
        channel.messages[message.ts] = message

    def _find(self, label: str, on: Message | View | None) -> tuple[Message | View, Json, Json]:
        views = [view for view in (self.modal, self.home) if view]
        places: list[Message | View] = [on] if on else [*views, *reversed(self.messages())]
        for place in places:
            if isinstance(place, Message):
                self._seen(place)
                previews = [*place.attachments, *place.unfurls.values()]
                blocks = place.blocks + [block for one in previews for block in one.get("blocks", [])]
            else:
                blocks = place.blocks
            for block, element in elements(blocks):
                names = (element.get("text", {}).get("text"), element["action_id"])
                if label in names:
                    return place, block, element
        raise NotThere(f"{self.user.real_name} sees nothing called {label!r} in:\n{self.sees()}")

    async def presses(self, label: str, on: Message | View | None = None) -> Attempt:
        """A button, by its label or action_id: on this message or view, or the latest there is."""
        place, block, element = self._find(label, on)
        kept = ("action_id", "text", "value", "style", "url")
        action: Json = {name: element[name] for name in kept if name in element}
        return await self._acts(place, block, element, action)

    async def chooses(self, value: Any, of: str, on: Message | View | None = None) -> Attempt:
        """Something in a menu, by its value or label; the menu by its action_id."""
        place, block, element = self._find(of, on)
        if element["type"] == "overflow":
            entry: Json = {"type": "overflow", "selected_option": choose(element, value)}
        else:
            entry = entered(element, value)
        if isinstance(place, View) and element["type"] != "overflow":
            place.values.setdefault(block["block_id"], {})[element["action_id"]] = entry
        return await self._acts(place, block, element, {"action_id": element["action_id"], **entry})

    async def _acts(self, place: Message | View, block: Json, element: Json, action: Json) -> Attempt:
        if isinstance(place, View):
            fill(place, {})
        action |= {"block_id": block["block_id"], "type": element["type"], "action_ts": self.server.next_ts()}
        unfurls = place.unfurls.items() if isinstance(place, Message) else ()
        unfurl = next((url for url, preview in unfurls if block in preview.get("blocks", [])), "")
        payload = payloads.block_actions(self, place, action, unfurl=unfurl)
        return await self.server.inbound.deliver("interactive", payload).tried()

    async def suggestions(self, text: str, of: str, on: Message | View | None = None) -> list[Json]:
        """What an external select offers for a few letters."""
        place, block, element = self._find(of, on)
        payload = payloads.block_suggestion(self, place, block, element, text)
        attempt = await self.server.inbound.deliver("interactive", payload).tried()
        offered: list[Json] = attempt.json().get("options", [])
        return offered

    async def chooses_shortcut(self, callback_id: str, message: Message | None = None) -> Attempt:
        """A shortcut on a message; without one, a global shortcut."""
        kind = "message" if message else "global"
        known = [one["callback_id"] for one in self.server.feature("shortcuts") if one["type"] == kind]
        if callback_id not in known or self.user.stranger:
            raise NotThere(f"there is no {kind} shortcut {callback_id}: {known}")
        if message:
            self._seen(message)
        if message and message.only_for:
            raise NotThere("messages only one person sees have no shortcuts")
        payload = payloads.shortcut(self, callback_id, message)
        return await self.server.inbound.deliver("interactive", payload).tried()

    async def fills_and_submits(self, view: View | None = None, /, **values: Any) -> Submission:
        """The form before them, its inputs by block_id, action_id or label (`**{"Your answer": "…"}`)."""
        view = self._open(view)
        fill(view, values)
        if found := complaints(view):
            view.errors = found
            return Submission(None, found)
        return await submits(self, view)

    async def closes(self, view: View | None = None) -> Attempt | None:
        """The form, without sending it: view_closed, where the bot wants to know."""
        return await closes(self, self._open(view))

    def _open(self, view: View | None) -> View:
        view = view or self.modal
        if self.user.deleted or view is None or view not in self.team.modals.get(self.id, []):
            raise NotThere(f"{self.user.real_name} has no form open")
        return view


__all__ = ["Delivery", "NotThere", "Person", "typed"]
