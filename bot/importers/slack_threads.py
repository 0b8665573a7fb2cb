"""A Slack thread made into a question with its answers, where it is one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from bot.importers.slack_judgement import (
    asks,
    is_asking_back,
    is_new_question,
    is_question,
    is_small_talk,
    is_telling,
    is_thanks,
    says_something,
    sentences,
    without_greeting,
)
from bot.importers.text import clean, one_line, shortened, word_set

TITLE = 150
MAX_ANSWERS = 4  # of a long discussion, what was accepted and what came first
#: Reactions that say a message was good.
_AGREEING = word_set(
    "+1 thumbsup heart tada clap raised_hands pray ok_hand 100 star star2 bulb fire rocket muscle sparkles trophy "
    "white_check_mark heavy_check_mark ballot_box_with_check check green_heart blue_heart purple_heart yellow_heart "
    "heart_eyes smile smiley grinning slightly_smiling_face thumbsup_all this upvote thank-you thank_you thanks ty "
    "bow partying_face heavy_plus_sign point_up"
)
_ACCEPTING = word_set("white_check_mark heavy_check_mark ballot_box_with_check check solved fixed answered")
_SPOKEN = {None, "", "file_share", "thread_broadcast", "me_message", "file_comment", "reply_broadcast"}

_MENTION = re.compile(r"<@(\w+)(?:\|[^>]*)?>")

NO_ANSWER = "Nobody but the asker said anything that answers it."
NO_QUESTION = "It does not begin with a question."
NO_START = "The message that began it is not in the export."
BY_BOT = "It was begun by a bot or an integration."


@dataclass(frozen=True, slots=True)
class Said:
    """One message of a person, in Slack's markup still."""

    ts: str
    user: str
    text: str
    endorsed: int = 0
    approved: bool = False  # somebody put a check mark on it
    names: tuple[str, ...] = ()  # the users it mentions
    to: str = ""  # the user it is addressed to: a mention at its beginning

    @property
    def at(self) -> datetime:
        """When it was sent."""
        return datetime.fromtimestamp(float(self.ts), UTC)


@dataclass(slots=True)
class Block:
    """What one person said in answer, without another speaking in between."""

    user: str
    at: datetime
    texts: list[str] = field(default_factory=list)
    endorsed: int = 0
    accepted: bool = False

    @property
    def text(self) -> str:
        """All of it."""
        return "\n".join(self.texts)


@dataclass(frozen=True, slots=True)
class Found:
    """A question with answers. `owner` is who answered best."""

    ts: str
    asker: str
    title: str
    body: str
    at: datetime
    answers: tuple[Block, ...]
    owner: str


def gather(messages: Iterable[dict[str, Any]]) -> tuple[dict[str, list[Said]], dict[str, str], int]:
    """The threads of a channel by their first message's ts; why a start is missing, by ts; the messages counted."""
    said: dict[str, tuple[str, Said]] = {}
    unusable: dict[str, str] = {}
    latest: dict[str, str] = {}
    gone: set[str] = set()
    count = 0
    for message in messages:
        count += 1
        subtype = message.get("subtype")
        inner = message.get("message")
        if subtype == "message_deleted":
            gone.add(str(message.get("deleted_ts")))
        elif subtype == "message_changed" and isinstance(inner, dict):
            latest[str(inner.get("ts"))] = str(inner.get("text") or "")
        thread = message.get("thread_ts")
        ts = message.get("ts")
        if not isinstance(thread, str) or not isinstance(ts, str) or not _is_time(ts) or not _is_time(thread):
            continue  # nobody answered it in a thread
        if subtype not in _SPOKEN or message.get("bot_id") or not isinstance(message.get("user"), str):
            unusable[ts] = NO_START if subtype == "tombstone" else BY_BOT
            continue
        said[ts] = thread, _said(message, ts)
    threads: dict[str, list[Said]] = {}
    for ts, (thread, one) in said.items():
        if ts not in gone:
            now = replace(one, text=clean(latest[ts])) if ts in latest else one
            threads.setdefault(thread, []).append(now)
    for thread in threads.values():
        thread.sort(key=lambda one: float(one.ts))
    return dict(sorted(threads.items(), key=lambda item: float(item[0]))), unusable, count


def _is_time(ts: str) -> bool:
    return re.fullmatch(r"\d{1,11}(\.\d{1,9})?", ts) is not None


def _said(message: Mapping[str, Any], ts: str) -> Said:
    user = str(message["user"])
    endorsed, approved = 0, False
    for reaction in message.get("reactions") or []:
        if isinstance(reaction, dict):
            name = str(reaction.get("name", "")).partition("::")[0]
            users = reaction.get("users")
            others = len([one for one in users if one != user]) if isinstance(users, list) else 0
            missing = max(0, int(reaction.get("count") or 0) - len(users)) if isinstance(users, list) else 0
            endorsed += (others + missing) if name in _AGREEING else 0
            approved |= name in _ACCEPTING and others > 0
    text = clean(message.get("text"))
    files = [one_line(file.get("title") or file.get("name")) for file in message.get("files") or [] if _is_dict(file)]
    names = ", ".join(name for name in files if name)
    mentions = tuple(_MENTION.findall(text))
    to = mentions[0] if mentions and text.startswith(f"<@{mentions[0]}") else ""
    whole = f"{text}\n(attached: {names})".strip() if names else text
    return Said(ts, user, whole, endorsed, approved, mentions, to)


def _is_dict(value: object) -> bool:
    return isinstance(value, dict)


def question_in(thread: list[Said]) -> Found | str:
    """The question this thread answers, or why there is none. Texts have been made readable."""
    asker = thread[0].user
    opening = 1  # "Hi all!" and the question in the next message are one opening
    while opening < len(thread) and thread[opening].user == asker:
        opening += 1
    asked = [one.text for one in thread[:opening] if not is_small_talk(one.text) or one is thread[0]]
    if not is_question(thread[0].text) and not _greets_then_asks(thread[0].text, asked[1:]):
        return NO_QUESTION if opening < len(thread) or len(thread) == 1 else NO_ANSWER
    blocks, clarified = _answers(thread[opening:], asker, thread[0])
    if not blocks:
        return NO_ANSWER
    title, body = _title(asked + clarified)
    kept = sorted(sorted(blocks, key=lambda one: (not one.accepted, -one.endorsed, one.at))[:MAX_ANSWERS], key=_when)
    best = max(kept, key=lambda one: (one.accepted, one.endorsed, len(one.text)))
    return Found(thread[0].ts, asker, title, body, thread[0].at, tuple(kept), best.user)


def _when(block: Block) -> datetime:
    return block.at


def _greets_then_asks(first: str, rest: list[str]) -> bool:
    return is_small_talk(first) and bool(rest) and is_question(rest[0])


def _answers(replies: list[Said], asker: str, start: Said) -> tuple[list[Block], list[str]]:
    """The answers, and what the asker added before the first of them."""
    blocks: list[Block] = []
    clarified: list[str] = []
    current: Block | None = None
    spoke = {asker}
    for one in replies:
        if one.user == asker:
            if blocks and is_thanks(one.text):
                _accept(blocks, one)
                current = None
            elif not is_small_talk(one.text):
                if blocks and any(block.accepted for block in blocks) and is_question(one.text):
                    break  # helped, they ask the next thing
                clarified += [] if blocks else [one.text]
                current = None
            continue
        if one.to not in ("", asker, one.user) and asker not in one.names:
            continue  # helpers among themselves, or somebody called in
        if one.user not in spoke and is_new_question(one.text):
            break  # from here on the thread is about something else
        spoke.add(one.user)
        if current is not None and current.user == one.user:
            if not is_small_talk(one.text):
                current.texts.append(one.text)
        elif not is_small_talk(one.text):
            current = Block(one.user, one.at, [one.text])
            blocks.append(current)
        if current is not None and current.user == one.user:
            current.endorsed += one.endorsed
            current.accepted |= one.approved
    answers = [block for block in blocks if block.accepted or not is_asking_back(block.text)]
    full = [block for block in answers if block.accepted or block.endorsed or says_something(block.text)]
    return full or answers, clarified


def _accept(blocks: list[Block], thanks: Said) -> None:
    """Thanks go to whom they name, else to who spoke last."""
    for user in thanks.names or (blocks[-1].user,):
        for block in reversed(blocks):
            if block.user == user:
                block.accepted = True
                break


def _title(texts: list[str]) -> tuple[str, str]:
    """A title that asks, and the rest. Nothing of what was asked is lost."""
    first = without_greeting(texts[0]) or texts[0]
    whole = "\n".join([first, *texts[1:]])
    parts = [part for text in (first, *texts[1:2]) for part in sentences(text)]
    asked = [part for part in parts if asks(part) and "```" not in part and "\n" not in part and len(part) <= TITLE]
    for part in asked:
        if is_telling(part):
            words = without_greeting(one_line(part)) or one_line(part)
            return words[:1].upper() + words[1:], _after(part, whole)
    title = parts[0]
    if len(parts) > 1 and len(title) < TITLE // 2 and not is_telling(title):
        title = f"{title} {parts[1]}"  # "I met Elm recently. Is there …"
    words = shortened(one_line(title), TITLE)
    return words[:1].upper() + words[1:], _after(title, whole) if words.casefold() == title.casefold() else whole


def _after(title: str, whole: str) -> str:
    """What the title leaves to say; everything, where it is taken from the middle."""
    return whole[len(title) :].strip() if whole.startswith(title) else whole
