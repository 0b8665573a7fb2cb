"""Activities that want their answer in the response: card actions, dialogs, message extensions.

https://learn.microsoft.com/microsoftteams/platform/task-modules-and-cards/cards/universal-actions-for-adaptive-cards/work-with-universal-actions-for-adaptive-cards,
https://learn.microsoft.com/microsoftteams/platform/messaging-extensions/how-to/action-commands/define-action-command.
`POINTERS` and `SEARCH` list what the app offers on messages and in the compose box; the manifest is made from them.
"""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from adapters.teams.activities import Envelope, split_id
from adapters.teams.forms import TOKEN, Forms, zone_of
from adapters.teams.render import CARD, Element, attachment_of, card_of
from adapters.teams.settings import PLATFORM
from adapters.teams.text import dict_in, dicts_in, plain, text_in
from bot.ports import Event, Form, Insertable, Message, PersonRef, Place, Pointed, Pressed, Submitted, clean

ACTION, FETCH, SUBMIT = "adaptiveCard/action", "task/fetch", "task/submit"
POINT, POINT_SUBMIT = "composeExtension/fetchTask", "composeExtension/submitAction"
QUERY, LINK = "composeExtension/query", "composeExtension/queryLink"
UNNAMED_LINK = (
    "composeExtension/anonymousQueryLink"  # by who has not installed the app: neither they nor the chat are named
)
SETTLED = (ACTION, FETCH, SUBMIT, POINT, POINT_SUBMIT)  # these do something: kept first, like any other activity
OPENING = (FETCH, POINT)  # a dialog may open in answer to these


@dataclass(frozen=True, slots=True)
class Offer:
    """A command of the message extension. At most 32 characters of title, 128 of description."""

    id: str
    title: str
    description: str


POINTERS = (
    Offer("ask", "Ask the experts", "Ask the experts about this message"),
    Offer("save", "Save as knowledge", "Keep this message, so that others find it"),
    Offer("accept", "This answers it", "Accept this message as the answer"),
)
SEARCH = Offer("know", "Search knowledge", "Search what colleagues have already worked out")
QUERY_TEXT = "text"
THUMBNAIL = "application/vnd.microsoft.card.thumbnail"
LINK_VERSION = "1.3"  # of cards that Teams shows for links, at most
#: Else Teams shows for half an hour what one person was answered in one chat, whoever pastes the link and wherever.
NOT_KEPT = {"actions": [{"type": "setCachePolicy", "value": '{"type":"no-cache"}'}]}


def event_of(envelope: Envelope, forms: Forms, trigger: str) -> tuple[Event | None, Form | None]:
    """The neutral event of an invoke, and the form it brought, as filled in. Raises `FormError` and `Stale`."""
    activity = envelope.activity
    value = dict_in(activity, "value")
    name = text_in(activity, "name")
    if name == ACTION:
        action = dict_in(value, "action")
        said = dict_in(action, "data")
        return _pressed(envelope, text_in(action, "verb") or text_in(said, "action"), said, trigger), None
    if name == FETCH:
        said = dict_in(value, "data")
        return _pressed(envelope, text_in(said, "action"), said, trigger), None
    if name in (SUBMIT, POINT_SUBMIT):
        return submitted(envelope, forms, dict_in(value, "data"))
    if name == POINT:
        return _pointed(envelope, value, trigger), None
    return None, None


def submitted(envelope: Envelope, forms: Forms, data: Mapping[str, Any]) -> tuple[Event, Form]:
    """A form sent back. Raises `Rejected` for one that cannot be taken, `Stale` for one that is not ours any more."""
    form, place = forms.returned(data.get(TOKEN), envelope.actor)
    values, filled = forms.values(form, place, data, zone_of(envelope.activity)[0])
    common = {**envelope.common(), "place": place}
    return Submitted(**common, form=form.name, value=form.value, values=values), filled


def _pressed(envelope: Envelope, action: str, said: Mapping[str, Any], trigger: str) -> Event | None:
    if not action:
        return None
    message = text_in(envelope.activity, "replyToId")
    common = envelope.common()
    return Pressed(**common, action=action, value=text_in(said, "value"), message_id=message, trigger=trigger)


def _pointed(envelope: Envelope, value: Mapping[str, Any], trigger: str) -> Event | None:
    message = dict_in(value, "messagePayload")
    known = text_in(message, "id")
    if not known:
        return None
    channel, root = split_id(text_in(dict_in(envelope.activity, "conversation"), "id"))
    thread = text_in(message, "replyToId") or root
    body, user = dict_in(message, "body"), dict_in(dict_in(message, "from"), "user")
    content = text_in(body, "content")
    text = plain(content)[0] if text_in(body, "contentType").lower() == "html" else content
    author = PersonRef(PLATFORM, envelope.tenant, text_in(user, "id")) if text_in(user, "id") else None
    common = envelope.common()
    common["place"] = Place(PLATFORM, envelope.tenant, channel, thread if thread and thread != known else None)
    action = text_in(value, "commandId")
    return Pointed(**common, action=action, message_id=known, text=text, author=author, trigger=trigger)


def query_of(activity: Mapping[str, Any]) -> tuple[str, bool]:
    """What somebody searches for in the compose box, empty before they have typed anything; and whether Teams wants
    more of what it was shown already."""
    value = dict_in(activity, "value")
    typed = (text_in(one, "value") for one in dicts_in(value, "parameters") if text_in(one, "name") == QUERY_TEXT)
    return next(typed, "").strip(), bool(dict_in(value, "queryOptions").get("skip"))


# --- answers --------------------------------------------------------------------------------------------------------


def card_answer(card: Element) -> Element:
    """The card as it is now, for whoever pressed."""
    return {"statusCode": 200, "type": CARD, "value": card}


def said(name: str, words: str) -> Element:
    """A sentence, in the form that this kind of invoke takes it."""
    if name == ACTION:
        return {"statusCode": 200, "type": "application/vnd.microsoft.activity.message", "value": words}
    if name == QUERY:
        return {"composeExtension": {"type": "message", "text": words}}
    return {"task": {"type": "message", "value": words}}


def found(results: Sequence[Insertable]) -> Element:
    """Results of a search: each a card that can be inserted into what is being written, and a line to choose it by.

    In that line Teams reads markup in the text, and none in the title:
    https://learn.microsoft.com/microsoftteams/platform/task-modules-and-cards/cards/cards-format.
    """
    attachments = [_attached(card_of(one.message), one.title, one.hint) for one in results]
    return {"composeExtension": {"type": "result", "attachmentLayout": "list", "attachments": attachments}}


def previewed(message: Message) -> Element:
    """What a link leads to: https://learn.microsoft.com/microsoftteams/platform/messaging-extensions/how-to/link-unfurling."""
    attachment = _attached({**card_of(message), "version": LINK_VERSION}, message.summary)
    result = {"type": "result", "attachmentLayout": "list", "attachments": [attachment], "suggestedActions": NOT_KEPT}
    return {"composeExtension": result}


def _attached(card: Element, title: str, hint: str = "") -> Element:
    line = {"title": clean(title), "text": html.escape(clean(hint), quote=False)}
    return {**attachment_of(card), "preview": {"contentType": THUMBNAIL, "content": line}}
