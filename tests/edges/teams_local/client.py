"""Teams as people have it before them: what each of them sees, says, presses and fills in.

Every act goes to the bot's real route as a signed activity, in the form that Teams gives it; what the bot answers is
checked as the client would. The bot's messages are those that the Connector keeps (`microsoft`).
"""

from __future__ import annotations

import html
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import aiohttp

from tests.edges.teams_local.microsoft import BOT, TEAM, Microsoft

CARD = "application/vnd.microsoft.card.adaptive"
MENTION = {"type": "mention", "mentioned": {"id": BOT, "name": "Weaver"}, "text": "<at>Weaver</at>"}


class NotThere(LookupError):
    """Nobody sees that, or the client does not let them do it."""


def lines(elements: list[dict[str, Any]]) -> Iterator[str]:
    """What one reads on a card, with its buttons as `[label]`."""
    for element in elements:
        match element["type"]:
            case "RichTextBlock":
                yield "".join(run["text"] for run in element["inlines"])
            case "Container":
                yield from lines(element["items"])
            case "ActionSet":
                yield " ".join(f"[{one['title']}]" for one in element["actions"])
            case "Image":
                yield element["altText"]


@dataclass(frozen=True)
class Shown:
    """A message as it is now."""

    id: str
    conversation: str
    activity: dict[str, Any]

    @property
    def channel(self) -> str:
        return self.conversation.partition(";")[0]

    @property
    def thread(self) -> str | None:
        """What it hangs from, if it is a reply in a channel."""
        root = self.conversation.partition(";messageid=")[2]
        return root if root not in ("", self.id) else None

    @property
    def by_bot(self) -> bool:
        return bool(self.activity["from"]["id"] == BOT)

    @property
    def body(self) -> list[dict[str, Any]]:
        """The elements of its card."""
        attachments = self.activity.get("attachments", []) if self.by_bot else []
        return [element for one in attachments for element in one["content"]["body"]]

    @property
    def words(self) -> str:
        """All that one reads on it."""
        return "\n".join(lines(self.body)) if self.by_bot else str(self.activity["text"])

    def button(self, label: str) -> dict[str, Any] | None:
        """The button with this label."""
        actions = [one for element in self.body if element["type"] == "ActionSet" for one in element["actions"]]
        return next((one for one in actions if one["title"] == label), None)


@dataclass(frozen=True)
class Dialog:
    """A task module that is open before somebody. `behind` is the message whose button opened it."""

    card: dict[str, Any]
    behind: Shown

    @property
    def inputs(self) -> list[dict[str, Any]]:
        return [one for one in self.card["body"] if one["type"].startswith("Input.")]

    def filled(self, values: dict[str, str]) -> dict[str, Any]:
        """What the client sends. Raises `NotThere` for what it does not let through."""
        known = {one["id"]: one for one in self.inputs}
        filled = {name: one.get("value", "") for name, one in known.items()} | values
        empty = [name for name, one in known.items() if one.get("isRequired") and not filled[name].strip()]
        if empty or filled.keys() - known.keys():
            raise NotThere(f"{empty} must be filled in; {filled.keys() - known.keys()} is not asked")
        return {**self.card["actions"][0]["data"], **filled}


@dataclass
class Client:
    """Everybody's Teams, in one tenant, with one team. `endpoint` is where the bot listens."""

    microsoft: Microsoft
    http: aiohttp.ClientSession
    endpoint: str = ""
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    people: dict[str, Person] = field(default_factory=dict)

    def person(self, key: str, name: str) -> Person:
        """Somebody new, who has the app."""
        account = {"id": f"29:{key}", "aadObjectId": f"aad-{key}", "name": name}
        self.people[key] = Person(self, account, f"a:chat-29:{key}")
        self.join(self.people[key], self.people[key].chat)
        return self.people[key]

    def channel(self, name: str, *people: Person, private: bool = False) -> str:
        """A new channel of the team; its id."""
        known = f"19:{name}@thread.tacv2"
        self.microsoft.channels.append({"id": known, "name": name, "type": "private" if private else "standard"})
        for person in people:
            self.join(person, known)
        return known

    def join(self, person: Person, conversation: str) -> None:
        account = person.account
        email = f"{account['aadObjectId'].removeprefix('aad-')}@acme.example"
        self.microsoft.add_person(conversation, account["id"], account["aadObjectId"], account["name"], email=email)

    async def add_bot(self, by: Person) -> None:
        """The app is added to the team."""
        added = {"membersAdded": [{"id": BOT}], "data": {"eventType": "teamMemberAdded"}}
        await self.tell("conversationUpdate", by, channel=TEAM, **added)

    async def tell(self, kind: str, by: Person, **more: Any) -> Any:
        """Send an activity; what the bot answers."""
        more = {"id": f"f:{self.microsoft.next_id()}", "timestamp": self.now().isoformat(), **more}
        made = self.microsoft.activity(kind, by=by.account, **more)
        headers = {"Authorization": self.microsoft.signed()}
        async with self.http.post(self.endpoint, json=made, headers=headers) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json() if answer.content_type == "application/json" else None


@dataclass
class Person:
    """Somebody at their Teams. `told`: what Teams showed to them alone, in answer to what they pressed."""

    client: Client
    account: dict[str, Any]
    chat: str
    told: list[str] = field(default_factory=list)

    def visible(self) -> list[Shown]:
        """What they can see, oldest first."""
        inside = self.client.microsoft.members
        mine = {name for name, members in inside.items() if any(one["id"] == self.account["id"] for one in members)}
        shown = [Shown(one["id"], one["conversation"], one["activity"]) for one in self.client.microsoft.posted]
        return [one for one in shown if one.channel in mine]

    def sees(self) -> str:
        """All of it."""
        return "\n---\n".join(one.words for one in self.visible())

    def _where(self, conversation: str) -> dict[str, str]:
        channel, _, root = conversation.partition(";messageid=")
        return {"chat": channel} if channel == self.chat else {"channel": channel, "root": root}

    async def says(
        self, text: str, channel: str = "", *, root: str = "", quoting: Shown | None = None, mention: bool = False
    ) -> Shown:
        """Write into the chat with the bot, perhaps quoting a message there, or into a channel, perhaps in a thread."""
        where = f"{channel};messageid={root}" if root else channel or self.chat
        kept = {"from": self.account, "text": text}
        known = self.client.microsoft.put(where, kept, begins=bool(channel and not root))
        sent: dict[str, Any] = {"text": text, "textFormat": "plain"}
        if mention:
            sent |= {"text": f"<at>Weaver</at> {text}", "entities": [MENTION]}
        if quoting is not None:
            words = html.escape(quoting.words)
            quote = '<blockquote itemscope itemtype="http://schema.skype.com/Reply" itemid="{}"><p>{}</p></blockquote>'
            content = f"{quote.format(quoting.id, words)}<p>{html.escape(text)}</p>"
            sent["text"] = f"{quoting.words}\n\n{text}"
            sent["attachments"] = [{"contentType": "text/html", "content": content}]
        shown = next(one for one in reversed(self.visible()) if one.id == known)
        await self.client.tell("message", self, id=known, **self._where(shown.conversation), **sent)
        return shown

    async def edits(self, shown: Shown, text: str) -> None:
        """Change a message of theirs."""
        shown.activity["text"] = text
        more = {"text": text, "data": {"eventType": "editMessage"}}
        await self.client.tell("messageUpdate", self, id=shown.id, **self._where(shown.conversation), **more)

    async def deletes(self, shown: Shown) -> None:
        """Take a message of theirs back."""
        posted = self.client.microsoft.posted
        posted[:] = [one for one in posted if one["id"] != shown.id]
        more = {"data": {"eventType": "softDeleteMessage"}}
        await self.client.tell("messageDelete", self, id=shown.id, **self._where(shown.conversation), **more)

    async def leaves(self, channel: str) -> None:
        """Leave a private channel."""
        inside = self.client.microsoft.members[channel]
        inside[:] = [one for one in inside if one["id"] != self.account["id"]]
        more = {"membersRemoved": [self.account], "data": {"eventType": "channelMemberRemoved"}}
        more["data"]["channel"] = {"id": channel}
        await self.client.tell("conversationUpdate", self, channel=channel, **more)

    async def presses(self, label: str, *, on: str = "") -> Dialog | None:
        """Press a button on the newest message that has it (and these words); the dialog that opens, if one does."""
        for shown in reversed(self.visible()):
            button = shown.button(label)
            if button and on in shown.words:
                return await self._press(shown, button)
        raise NotThere(f"no button {label!r} on {on!r}. They see:\n{self.sees()}")

    async def _press(self, shown: Shown, button: dict[str, Any]) -> Dialog | None:
        about = {"replyToId": shown.id, **self._where(shown.conversation)}
        if button["type"] == "Action.Execute":
            action = {name: button[name] for name in ("type", "title", "verb", "data")}
            value: dict[str, Any] = {"action": action, "trigger": "manual"}
            answer = await self.client.tell("invoke", self, name="adaptiveCard/action", value=value, **about)
            assert answer["statusCode"] == 200, answer
            if answer["type"] != CARD:
                self.told.append(answer["value"])
            return None
        assert button["data"]["msteams"] == {"type": "task/fetch"}, button
        value = {"data": button["data"], "context": {"theme": "default"}}
        return self._next(await self.client.tell("invoke", self, name="task/fetch", value=value, **about), shown)

    async def submits(self, dialog: Dialog, **values: str) -> Dialog | None:
        """Send a form; the dialog again, if something in it is wrong."""
        value = {"data": dialog.filled(values), "context": {"theme": "default"}}
        about = {"replyToId": dialog.behind.id, **self._where(dialog.behind.conversation)}
        return self._next(await self.client.tell("invoke", self, name="task/submit", value=value, **about),
                          dialog.behind)  # fmt: skip

    def _next(self, answer: Any, behind: Shown) -> Dialog | None:
        task = (answer or {}).get("task")
        if task and task["type"] == "continue":
            return Dialog(task["value"]["card"]["content"], behind)
        if task:
            self.told.append(task["value"])
        return None


@asynccontextmanager
async def clients(microsoft: Microsoft) -> AsyncIterator[Client]:
    """Teams, for as long as it is needed."""
    await microsoft.start()
    try:
        async with aiohttp.ClientSession() as http:
            yield Client(microsoft, http)
    finally:
        await microsoft.stop()
