"""What must not be believed, what cannot be read, and what is too late: each has its answer."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlencode

import pytest

from bot.ports import (
    Button,
    Buttons,
    Commanded,
    DeliveryError,
    Form,
    Heard,
    Input,
    Message,
    PersonRef,
    Pressed,
    Submitted,
    Text,
)
from tests.edges.slack_server import payloads, sign
from tests.edges.slack_server.forms import fill
from tests.edges.test_slack_support import Desk, desk, words


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Desk]:
    """A workspace with the bot in it, over HTTP."""
    async with desk(tmp_path) as made:
        yield made


def event_of(here: Desk, text: str = "hello") -> bytes:
    """A direct message's request."""
    event = {"type": "message", "channel": "D1", "channel_type": "im", "user": "U1", "text": text, "ts": "1.000100"}
    body = {"type": "event_callback", "team_id": here.acme.team.id, "event_id": "Ev1", "event_time": 1, "event": event}
    return json.dumps(body).encode()


async def test_the_challenge_is_answered(here: Desk) -> None:
    """What Slack asks when an administrator enters the address."""
    assert await here.slack.inbound.verify_url()


@pytest.mark.parametrize(
    ("timestamp", "signature"),
    [
        (None, "v0=" + "0" * 64),
        (None, ""),
        (None, "v0=ü"),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("9" * 30, None),
        (str(int(time.time()) - 400), None),
        (str(int(time.time()) + 4000), None),
    ],
)
async def test_what_is_not_signed_now_is_not_believed(here: Desk, timestamp: str | None, signature: str | None) -> None:
    """A wrong signature, none, an odd or an old time."""
    signature = signature if signature is None else signature.encode().decode("latin-1")
    status, text, _ = await here.slack.inbound.post(event_of(here), timestamp=timestamp, signature=signature)
    assert status == 401
    assert "not signed by Slack" in text
    assert await here.rows() == []


async def test_a_body_changed_on_its_way_is_not_believed(here: Desk) -> None:
    """The signature covers every byte."""
    stamp = str(int(time.time()))
    signature = sign(here.slack.signing_secret, stamp, event_of(here))
    status, _, _ = await here.slack.inbound.post(event_of(here, "other"), timestamp=stamp, signature=signature)
    assert status == 401


async def test_a_replayed_request_acts_once(here: Desk) -> None:
    """Signed, and within five minutes, but the same again."""
    for _ in range(3):
        status, _, _ = await here.slack.inbound.post(event_of(here))
        assert status == 200
    await here.settled()
    assert len(here.bot.of(Heard)) == 1
    assert len(await here.rows()) == 1


async def test_a_form_sent_once_more_acts_once(here: Desk) -> None:
    """Where the acknowledgement is lost, the form stays open, and its writer tries again; other words are new."""
    ana = here.acme.person("Ana Lima")
    question = Input(name="text", label="Your question", kind="text")
    form = Form(name="ask", value="", title="Ask", submit="Ask", inputs=(question,))

    async def script(event: object) -> None:
        if isinstance(event, Commanded):
            await here.chat.open_form(event.trigger, form)

    here.bot.script = script
    await ana.command("/ask")
    await here.slack.until(lambda: ana.modal is not None)
    view = ana.modal
    assert view is not None
    for text in ("Why?", "Why?", "Why not?"):
        fill(view, {"text": text})
        payload = payloads.view_submission(ana, view)  # each time with a trigger of its own
        assert not (await here.slack.inbound.deliver("interactive", payload).tried()).reason
    await here.settled()
    assert [sent.text("text") for sent in here.bot.of(Submitted)] == ["Why?", "Why not?"]


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"{", "application/json", 400),
        (b"[]", "application/json", 400),
        (b"\xff\xfe", "application/json", 401),  # the SDK's verifier reads bodies as text
        (b"payload=%7B", "application/x-www-form-urlencoded", 400),
        (b"{}", "application/json", 200),
        (b'{"type": "event_callback", "event": {"type": "message"}}', "application/json", 200),
        (b'{"type": "event_callback", "event": {"type": "of_tomorrow"}}', "application/json", 200),
        (b'{"type": "event_callback", "event": 5}', "application/json", 400),
        (b'payload={"type":"block_actions"}', "application/x-www-form-urlencoded", 200),
        (b'payload={"type":"of_tomorrow"}', "application/x-www-form-urlencoded", 200),
    ],
)
async def test_odd_shapes(here: Desk, body: bytes, kind: str, status: int) -> None:
    """Signed, but not as Slack documents it: no crash, and nothing for the bot."""
    answered, _, _ = await here.slack.inbound.post(body, content_type=kind)
    assert answered == status
    await here.settled()
    assert here.bot.events == []


async def test_an_action_of_an_older_release_reaches_the_core(here: Desk) -> None:
    """It has a sentence for that; the adapter does not judge."""
    payload = {
        "type": "block_actions",
        "team": {"id": here.acme.team.id},
        "user": {"id": "U1"},
        "trigger_id": "1.2.3",
        "container": {"type": "message", "message_ts": "1.000100", "channel_id": "C1"},
        "channel": {"id": "C1"},
        "actions": [{"type": "button", "action_id": "of_yesterday", "block_id": "b", "value": "1", "action_ts": "1.0"}],
    }
    body = urlencode({"payload": json.dumps(payload)}).encode()
    status, _, _ = await here.slack.inbound.post(body, content_type="application/x-www-form-urlencoded")
    assert status == 200
    (pressed,) = await here.bot.hears(Pressed)
    assert (pressed.action, pressed.message_id) == ("of_yesterday", "1.000100")


async def test_an_address_in_a_button_is_nothing_to_handle(here: Desk) -> None:
    """Slack tells of such a press, too."""
    ana = here.acme.person("Ana Lima")
    card = Message("A", (Text("A"), Buttons((Button("Open", "open", url="https://x.example"),))))
    await here.chat.send(await here.chat.direct(PersonRef("slack", here.acme.team.id, ana.id)), card, delivery_id="d")
    assert (await ana.presses("Open")).status == 200
    await here.settled()
    assert here.bot.events == []


async def test_an_expired_trigger(here: Desk) -> None:
    """The core hears of it, and tells the person to press again."""
    form = Form(name="f", value="", title="T", submit="S", inputs=())
    with pytest.raises(DeliveryError, match="invalid_trigger_id") as caught:
        await here.chat.open_form(f"{here.acme.team.id}///1.2.3", form)
    assert caught.value.retry_after is None


async def test_a_revoked_token(here: Desk) -> None:
    """No message goes out, and none is tried again until an administrator has acted."""
    ana = here.acme.person("Ana Lima")
    water = here.acme.channel("water", ana)
    await here.acme.revokes_tokens()
    with pytest.raises(DeliveryError, match="token_revoked") as caught:
        await here.chat.send(here.at(water), words("hello"), delivery_id="d")
    assert caught.value.retry_after is None


async def test_channels_that_are_gone_archived_or_not_joined(here: Desk) -> None:
    """A public channel is joined first; the others are no use."""
    ana = here.acme.person("Ana Lima")
    public = here.acme.channel("public", ana, bot=False)
    private = here.acme.channel("private", ana, private=True, bot=False)
    await here.chat.send(here.at(public), words("hello"), delivery_id="d1")
    assert "hello" in ana.sees(public)
    with pytest.raises(DeliveryError, match="channel_not_found") as caught:
        await here.chat.send(here.at(private), words("hello"), delivery_id="d2")
    assert caught.value.retry_after is None
    with pytest.raises(LookupError):
        await here.chat.place(here.at(private))
    await here.acme.archives(public, ana)
    with pytest.raises(DeliveryError, match="is_archived"):
        await here.chat.send(here.at(public), words("hello"), delivery_id="d3")
    await here.chat.update(here.at(public), "1.000100", words("nothing there"))
    await here.chat.withdraw(here.at(public), "1.000100")


async def test_a_missing_scope_is_named(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """To the administrator, in the log."""
    async with desk(tmp_path) as here:
        ana = here.acme.person("Ana Lima")
        here.slack.install(here.acme.team, here.slack.scopes - {"users:read"})
        here.chat.installations._settings = here.chat.settings  # the token is another one now
        other = here.acme.token
        with pytest.raises(DeliveryError, match="users:read"):
            await here.chat.calls.call_with(other, "users.info", user=ana.id)
    assert "users:read" in caplog.text


async def test_strangers_and_bots(here: Desk) -> None:
    """Who is not from here is a guest without a verified address; bots are nobody."""
    team = here.acme.team.id
    ana, guest = (
        here.acme.person("Ana Lima", tz="America/Bogota", title="Hydrologist"),
        here.acme.person("Gus", restricted=True),
    )
    eve = here.acme.person("Eve", stranger_of="T0THER")
    profile = await here.chat.profile(PersonRef("slack", team, ana.id))
    assert (profile.name, profile.time_zone, profile.guest) == ("Ana Lima", "America/Bogota", False)
    assert profile.email == "ana.lima@acme.example"
    assert (await here.chat.profile(PersonRef("slack", team, guest.id))).guest
    stranger = await here.chat.profile(PersonRef("slack", team, eve.id))
    assert (stranger.guest, stranger.email) == (True, None)
    for nobody in (here.acme.bot.id, "U0NOBODY"):
        with pytest.raises(LookupError):
            await here.chat.profile(PersonRef("slack", team, nobody))


async def test_who_is_quiet(here: Desk) -> None:
    """Do not disturb now, or away with an end."""
    team, now = here.acme.team.id, int(time.time())
    ana, ben = here.acme.person("Ana Lima"), here.acme.person("Ben Okafor")
    assert (await here.chat.profile(PersonRef("slack", team, ana.id))).quiet_until is None
    await here.acme.sets_dnd(ana, start=now - 60, end=now + 3600)
    await here.settled()
    quiet = (await here.chat.profile(PersonRef("slack", team, ana.id))).quiet_until
    assert quiet is not None
    assert int(quiet.timestamp()) == now + 3600
    await here.acme.changes_profile(ben, status_emoji=":palm_tree:", status_expiration=now + 7200)
    quiet = (await here.chat.profile(PersonRef("slack", team, ben.id))).quiet_until
    assert quiet is not None
    assert int(quiet.timestamp()) == now + 7200


async def test_a_workspace_without_the_app(here: Desk, caplog: pytest.LogCaptureFixture) -> None:
    """Signed by Slack, but the token is not for it: acknowledged, and dropped with a word in the log."""
    await here.chat.people.bot_user(here.acme.team.id)
    event = {"type": "message", "channel": "D1", "channel_type": "im", "user": "U1", "text": "hi", "ts": "1.000100"}
    body = {"type": "event_callback", "team_id": "T0THER", "event_id": "Ev7", "event": event}
    status, _, _ = await here.slack.inbound.post(json.dumps(body).encode())
    assert status == 200
    await here.settled()
    assert here.bot.events == []
    assert "not installed" in caplog.text
