"""What should not come, and comes: nothing of it may break the bot, be believed, or stay without an answer."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.teams.activities import Envelope, translate
from adapters.teams.text import plain, words_of
from bot.ports import DeliveryError, Heard, Message, Pressed, SystemClock, Text
from tests.edges.teams_local.bot import Local, local
from tests.edges.teams_local.microsoft import TENANT, Fault

HELLO = Message("Hello", (Text("Hello"),))


@pytest.fixture
async def teams(tmp_path: Path) -> AsyncIterator[Local]:
    async with local(tmp_path) as both:
        yield both


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"text"', b"null", b"\xff\xfe", b"[" * 100_000])
async def test_what_is_no_activity(teams: Local, body: bytes) -> None:
    headers = {"Authorization": teams.microsoft.signed(), "Content-Type": "application/json"}
    answer = await teams.client.post("/api/messages", data=body, headers=headers)
    assert answer.status == 400
    assert "JSON" in await answer.text()


async def test_more_than_a_megabyte_is_not_read(teams: Local) -> None:
    answer = await teams.send(teams.activity(text="x" * 1_100_000))
    assert answer.status == 413


async def test_payload_of_a_megabyte_is_taken(teams: Local) -> None:
    [event] = await teams.hears(teams.activity(value={"action": "solved", "value": "12", "junk": "x" * 1_000_000}))
    assert isinstance(event, Pressed)


@pytest.mark.parametrize(
    "without",
    [
        {"by": None},
        {"by": {}},
        {"by": {"name": "Nobody"}},
        {"conversation": None},
        {"conversation": {}, "channelData": None},
        {"conversation": "text", "channelData": []},
    ],
)
async def test_nobody_and_nowhere(teams: Local, without: dict[str, Any]) -> None:
    for kind in ("message", "messageUpdate", "messageReaction", "invoke", "conversationUpdate"):
        answer = await teams.send(teams.activity(kind, name="task/fetch", text="hello", **without))
        assert answer.status in (200, 501)
    await teams.chat.reception.inbox.settle()
    assert [event for event in teams.core.heard if not event.actor.id and isinstance(event, Heard)] == []


@pytest.mark.parametrize("kind", ["typing", "endOfConversation", "event", "trace", "", "somethingNew"])
async def test_types_that_mean_nothing(teams: Local, kind: str) -> None:
    assert (await teams.send(teams.activity(kind))).status == 200
    assert await teams.chat.reception.inbox.settle() == 0


async def test_unknown_type_of_conversation_is_not_taken_for_private(teams: Local) -> None:
    where = {"conversationType": "hologram", "tenantId": TENANT, "id": "19:strange@x"}
    [event] = await teams.hears(teams.activity(text="hello", conversation=where))
    assert isinstance(event, Heard)
    assert not event.direct
    assert (await teams.chat.place(event.place)).private


async def test_activity_without_an_id_is_known_by_all_of_it(teams: Local) -> None:
    activity = teams.activity(text="hello", id=None)
    assert len(await teams.hears(activity)) == 1
    assert await teams.hears(activity) == []


async def test_unknown_invoke(teams: Local) -> None:
    assert (await teams.send(teams.activity("invoke", name="signin/verifyState"))).status == 501
    assert (await teams.send(teams.activity("invoke"))).status == 501


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("adaptiveCard/action", None),
        ("adaptiveCard/action", {"action": {"verb": "", "data": []}}),
        ("task/fetch", {"data": "text"}),
        ("composeExtension/fetchTask", {"commandId": "ask"}),
    ],
)
async def test_presses_that_say_nothing(teams: Local, name: str, value: Any) -> None:
    answer = await teams.invoke(name, value)
    assert "older" in str(answer) or "do not know" in str(answer)
    assert teams.core.heard == []


@pytest.mark.parametrize("name", ["task/submit", "composeExtension/submitAction"])
async def test_forms_that_are_none(teams: Local, name: str) -> None:
    for value in (None, {}, {"data": {"form": "x"}}, {"data": {"form": {"name": "answer"}}}):
        answer = await teams.invoke(name, value)
        assert "open it again" in answer["task"]["value"]
    assert teams.core.heard == []


async def test_core_that_fails_on_a_press_is_answered_for_and_asked_again(teams: Local) -> None:
    teams.core.failures = [RuntimeError("out of order")]
    data = {"action": {"verb": "solved", "data": {"value": "1"}}}
    answer = await teams.invoke("adaptiveCard/action", data, replyToId="1")
    assert answer["statusCode"] == 200
    teams.clock.ahead += type(teams.clock.ahead)(minutes=5)
    await teams.chat.reception.inbox.settle()
    assert isinstance(teams.core.heard[-1], Pressed)


async def test_conversation_that_was_never_told_of(teams: Local) -> None:
    with pytest.raises(DeliveryError, match="not installed"):
        await teams.chat.send(teams.place("19:never@thread.tacv2"), HELLO, delivery_id="d")
    await teams.chat.update(teams.place("19:never@thread.tacv2"), "1", HELLO)
    with pytest.raises(LookupError):
        await teams.chat.place(teams.place("19:never@thread.tacv2"))
    with pytest.raises(LookupError):
        await teams.chat.members(teams.place("19:never@thread.tacv2"))


@pytest.mark.parametrize("headers", [{"Retry-After": "soon"}, {"Retry-After": "-5"}, {"Retry-After": "999999"}])
async def test_unreadable_patience(teams: Local, headers: dict[str, str]) -> None:
    await teams.hears(teams.activity(text="hi"))
    teams.microsoft.faults = [Fault(429, headers=headers)]
    with pytest.raises(DeliveryError) as failed:
        await teams.chat.send(teams.place(), HELLO, delivery_id="d")
    assert failed.value.retry_after is not None
    assert 1 <= failed.value.retry_after <= 3600


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=10,
)
NAMES = (
    *("id", "from", "text", "conversation", "channelData", "entities", "attachments", "value", "recipient", "action"),
    *("membersAdded", "membersRemoved", "reactionsAdded", "timestamp", "replyToId", "textFormat"),
)
TYPES = st.sampled_from(["message", "messageUpdate", "messageReaction", "conversationUpdate", "installationUpdate"])


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(TYPES, st.dictionaries(st.sampled_from(NAMES), JSON, max_size=8))
def test_any_json_is_translated_or_left(kind: str, fields: dict[str, Any]) -> None:
    """No shape of a signed activity raises: it would be tried again and again."""
    activity = json.loads(json.dumps({**fields, "type": kind}))
    where = {"conversationType": "personal", "tenantId": TENANT, "id": "a"}
    for one in (activity, {"from": {"id": "29:x"}, "conversation": where, **activity}):
        envelope = Envelope(activity=one, key="k", received=SystemClock().now(), mark=lambda text: text)
        for event in translate(envelope):
            assert event.at.tzinfo is not None


@settings(deadline=None)
@given(st.text(), st.text(max_size=20), st.text(max_size=20))
def test_any_text_is_read(text: str, written: str, name: str) -> None:
    mention = {"type": "mention", "mentioned": {"id": "me", "name": name}, "text": written}
    for form in ("plain", "xml"):
        mentions = [mention, {**mention, "mentioned": {}}]
        activity = {"text": text, "textFormat": form, "recipient": {"id": "me"}, "entities": mentions}
        words, _, _ = words_of(activity)
        assert "\0" not in words
    plain(text)
