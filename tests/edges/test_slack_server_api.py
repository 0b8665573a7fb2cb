"""The Web API of our Slack: what it refuses, to whom it shows what, and what it remembers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from tests.edges.slack_server import NotThere, Pacing
from tests.edges.slack_server.echo import House, button, form, open_house, section


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with AsyncExitStack() as stack:
        yield await open_house(stack)


async def error_of(call: Any) -> str:
    """The code Slack refuses a call with."""
    with pytest.raises(SlackApiError) as caught:
        await call
    return str(caught.value.response["error"])


# --- messages ---


async def test_metadata_is_found_again(house: House) -> None:
    client, water = house.client, house.water.id
    metadata = {"event_type": "delivery", "event_payload": {"id": "d1"}}
    root = await client.chat_postMessage(channel=water, text="root", metadata=metadata)
    reply = await client.chat_postMessage(channel=water, text="reply", thread_ts=root["ts"], metadata=metadata)
    plain = await client.conversations_history(channel=water)
    assert "metadata" not in plain["messages"][0]
    history = await client.conversations_history(channel=water, include_all_metadata=True)
    assert [message["ts"] for message in history["messages"]] == [root["ts"]]
    assert history["messages"][0]["metadata"] == metadata
    assert history["messages"][0]["reply_count"] == 1
    replies = await client.conversations_replies(channel=water, ts=root["ts"], include_all_metadata=True)
    assert [message["ts"] for message in replies["messages"]] == [root["ts"], reply["ts"]]
    assert replies["messages"][1]["metadata"] == metadata
    after = await client.conversations_history(channel=water, oldest=root["ts"])
    assert after["messages"] == []
    await client.chat_update(channel=water, ts=root["ts"], text="changed")
    kept = await client.conversations_history(channel=water, include_all_metadata=True)
    assert kept["messages"][0]["metadata"] == metadata


async def test_an_update_keeps_what_slack_keeps(house: House) -> None:
    client, water = house.client, house.water.id
    ts = (await client.chat_postMessage(channel=water, text="card", blocks=[section("a card")]))["ts"]
    message = house.water.messages[ts]
    await client.chat_update(channel=water, ts=ts, text="card", blocks=[section("used")])
    assert house.ana.reads(message) == "used"
    assert message.edited is None
    await client.chat_update(channel=water, ts=ts, text="words only")
    assert house.ana.reads(message) == "words only"
    assert message.edited is not None
    said = await house.ana.says("mine", house.water)
    assert await error_of(client.chat_update(channel=water, ts=said.ts, text="x")) == "cant_update_message"
    assert await error_of(client.chat_delete(channel=water, ts=said.ts)) == "cant_delete_message"
    assert await error_of(client.chat_update(channel=water, ts="1.0", text="x")) == "message_not_found"


async def test_a_deleted_root_leaves_a_tombstone(house: House) -> None:
    root = await house.ana.says("a root", house.water)
    await house.tom.says("a reply", house.water, thread=root)
    await house.ana.deletes(root)
    assert house.tom.sees(house.water) == "Slackbot: This message was deleted.\nTom Berg: a reply"
    alone = await house.ana.says("alone", house.water)
    await house.ana.deletes(alone)
    events = [body["event"] for body in house.echo.told]
    assert [event.get("subtype") for event in events] == [None, None, "message_changed", None, "message_deleted"]
    assert events[1]["parent_user_id"] == house.ana.id
    assert events[-1]["deleted_ts"] == alone.ts


async def test_an_ephemeral_message_is_for_one_person(house: House) -> None:
    client, water, ana, tom = house.client, house.water.id, house.ana, house.tom
    said = await client.chat_postEphemeral(
        channel=water, user=ana.id, text="psst", blocks=[section("psst"), {"type": "actions", "elements": [
            button("Again", "again", "psst")]}],
    )  # fmt: skip
    assert "psst" in ana.sees(house.water)
    assert "psst" not in tom.sees(house.water)
    assert (await client.conversations_history(channel=water))["messages"] == []
    ts = said["message_ts"]
    assert await error_of(client.chat_update(channel=water, ts=ts, text="x")) == "message_not_found"
    assert await error_of(client.chat_getPermalink(channel=water, message_ts=ts)) == "message_not_found"
    with pytest.raises(NotThere):
        await tom.presses("Again")
    await ana.presses("Again")
    await house.slack.until(lambda: "psst, again by ana.lima" in ana.sees(house.water))
    payload = house.echo.told[-1]
    assert payload["container"]["is_ephemeral"] is True
    assert "message" not in payload
    ana.reloads()
    assert ana.sees(house.water) == ""
    outsider = house.acme.person("Eve Stone")
    refused = client.chat_postEphemeral(channel=water, user=outsider.id, text="x")
    assert await error_of(refused) == "user_not_in_channel"


async def test_who_may_write_where(house: House) -> None:
    acme, client = house.acme, house.client
    elsewhere = acme.channel("elsewhere", house.ana, bot=False)
    secret = acme.channel("secret", house.ana, bot=False, private=True)
    assert await error_of(client.chat_postMessage(channel=elsewhere.id, text="x")) == "not_in_channel"
    assert await error_of(client.chat_postMessage(channel=secret.id, text="x")) == "channel_not_found"
    assert await error_of(client.conversations_info(channel=secret.id)) == "channel_not_found"
    await client.conversations_join(channel=elsewhere.id)
    await client.chat_postMessage(channel=elsewhere.id, text="here I am")
    await acme.archives(house.water, by=house.ana)
    assert await error_of(client.chat_postMessage(channel=house.water.id, text="x")) == "is_archived"
    assert "here I am" in house.tom.sees()
    guest = acme.person("Gus Guest", restricted=True)
    assert guest.sees() == ""
    with pytest.raises(NotThere):
        await guest.says("hello", elsewhere)


async def test_limits_are_answered_as_slack_does_and_recorded(house: House) -> None:
    client, water = house.client, house.water.id

    async def refused(*blocks: dict[str, Any]) -> str:
        return await error_of(client.chat_postMessage(channel=water, text="x", blocks=list(blocks)))

    row = {"type": "actions", "elements": [button("Same", "same"), button("Same", "same")]}
    for bad in (
        [{"type": "divider"}] * 51,
        [{"type": "nonsense"}],
        [section("s" * 3001)],
        [section("")],
        [{"type": "header", "text": {"type": "plain_text", "text": "h" * 151}}],
        [{"type": "actions", "elements": [button("b" * 76, "a")]}],
        [{"type": "actions", "elements": [button("b", "a", "v" * 2001)]}],
        [{"type": "actions", "elements": [button("b", str(number)) for number in range(26)]}],
        [row],
        [section("a") | {"block_id": "same"}, section("b") | {"block_id": "same"}],
        [section("a") | {"fields": [{"type": "mrkdwn", "text": "f"}] * 11}],
    ):
        assert await refused(*bad) == "invalid_blocks"
    assert await refused(*[section("s" * 3000)] * 5) == "msg_blocks_too_long"
    assert await error_of(client.chat_postMessage(channel=water, text="x" * 40_001)) == "msg_too_long"
    trigger = house.slack.triggers.new(house.acme.team, house.ana.id)
    for change in ({"title": {"type": "plain_text", "text": "t" * 25}}, {"submit": None},
                   {"private_metadata": "m" * 3001}, {"blocks": [{"type": "divider"}] * 101}):  # fmt: skip
        assert await error_of(client.views_open(trigger_id=trigger, view=form() | change)) == "invalid_arguments"
    assert len(house.slack.violations) >= 17
    house.slack.violations.clear()
    await client.api_call("chat.postMessage", json={"channel": water, "text": "x", "txet": "y"})
    assert [one.problem for one in house.slack.violations] == ["unknown argument txet"]
    assert await error_of(client.api_call("chat.postMesage", json={"channel": water})) == "unknown_method"
    assert len(house.slack.violations) == 2


async def test_the_pace_of_a_channel(house: House) -> None:
    now = 0.0
    house.slack.pacing = Pacing(burst=2, timer=lambda: now)
    dm = (await house.client.conversations_open(users=house.ana.id))["channel"]["id"]
    for channel in (dm, house.ana.id):
        await house.client.chat_postMessage(channel=channel, text="x")
    with pytest.raises(SlackApiError) as caught:
        await house.client.chat_postMessage(channel=dm, text="x")
    assert caught.value.response.status_code == 429
    assert caught.value.response.headers["Retry-After"] == "1"
    await house.client.chat_postMessage(channel=house.water.id, text="another channel")
    now = 1.0
    await house.client.chat_postMessage(channel=dm, text="x")


# --- tokens, scopes, two workspaces ---


async def test_tokens_and_scopes(house: House) -> None:
    slack = house.slack
    few = slack.workspace("Few", scopes=frozenset({"chat:write"}))
    client = AsyncWebClient(token=few.token, base_url=slack.api_url)
    said = await client.auth_test()
    assert said["team_id"] == few.team.id
    assert said.headers["X-OAuth-Scopes"] == "chat:write"
    with pytest.raises(SlackApiError) as caught:
        await client.users_lookupByEmail(email="a@b.example")
    assert caught.value.response["needed"] == "users:read.email"
    assert caught.value.response["provided"] == "chat:write"
    assert await error_of(AsyncWebClient(token="xoxb-no", base_url=slack.api_url).auth_test()) == "invalid_auth"
    await few.uninstalls_app()
    assert await error_of(client.auth_test()) == "account_inactive"
    await house.acme.revokes_tokens()
    assert await error_of(house.client.auth_test()) == "token_revoked"
    assert sorted(house.echo.events()) == ["app_uninstalled", "tokens_revoked", "tokens_revoked"]


async def test_two_workspaces_know_nothing_of_each_other(house: House) -> None:
    bolt = house.slack.workspace("Bolt")
    bea = bolt.person("Bea Moor", email="ana.lima@acme.example")
    sand = bolt.channel("sand", bea)
    other = AsyncWebClient(token=bolt.token, base_url=house.slack.api_url)
    assert await error_of(other.chat_postMessage(channel=house.water.id, text="x")) == "channel_not_found"
    assert await error_of(other.users_info(user=house.ana.id)) == "user_not_found"
    assert (await other.users_lookupByEmail(email="Ana.Lima@acme.example"))["user"]["id"] == bea.id
    await bea.mentions_bot("hello", sand)
    await house.ana.mentions_bot("hello", house.water)
    await house.slack.until(lambda: "You said" in bea.sees(sand) and "You said" in house.ana.sees(house.water))
    assert {body["team_id"] for body in house.echo.told} == {bolt.team.id, house.acme.team.id}


async def test_an_installation_by_oauth(house: House) -> None:
    slack = house.slack
    fresh = slack.workspace("Fresh", installed=False)
    ana = fresh.person("Ana Lima")
    client = AsyncWebClient(base_url=slack.api_url)
    code = fresh.approves_installation(ana, redirect_uri="https://weaver.example/back")
    keys = {"client_id": slack.client_id, "client_secret": slack.client_secret}

    # Not `client.oauth_v2_access`: it uses aiohttp's BasicAuth, which warns that it is deprecated.
    async def exchange(**arguments: str) -> Any:
        return await client.api_call("oauth.v2.access", data={**keys, "code": code} | arguments)

    assert await error_of(exchange(client_secret="no")) == "bad_client_secret"
    given = await exchange(redirect_uri="https://weaver.example/back")
    assert given["team"] == {"id": fresh.team.id, "name": "Fresh"}
    assert given["authed_user"] == {"id": ana.id}
    assert (await AsyncWebClient(token=given["access_token"], base_url=slack.api_url).auth_test())["ok"]
    assert await error_of(exchange()) == "invalid_code"


# --- people and places ---


async def test_what_slack_tells_of_people(house: House) -> None:
    client = house.client
    stranger = house.acme.person("Stan Far", stranger_of="T0OTHER0001")
    shared = house.acme.channel("shared", house.ana, stranger)
    user = (await client.users_info(user=house.ana.id))["user"]
    assert user["profile"]["email"] == "ana.lima@acme.example"
    assert user["profile"]["title"] == "Hydrologist"
    far = (await client.users_info(user=stranger.id))["user"]
    assert (far["is_stranger"], far["team_id"], "email" in far["profile"]) == (True, "T0OTHER0001", False)
    assert (await client.conversations_info(channel=shared.id))["channel"]["is_ext_shared"] is True
    await stranger.says("hello", shared)
    assert house.echo.told[-1]["is_ext_shared_channel"] is True
    assert house.echo.told[-1]["event"]["user_team"] == "T0OTHER0001"
    with pytest.raises(NotThere):
        await stranger.command("/echo", "x", channel=shared)
    await house.acme.sets_dnd(house.tom, start=10, end=20)
    assert (await client.dnd_info(user=house.tom.id))["next_dnd_end_ts"] == 20
    await house.acme.deactivates(house.tom)
    assert house.echo.told[-1]["event"]["user"]["deleted"] is True
    assert await error_of(client.conversations_open(users=house.tom.id)) == "user_disabled"
    assert house.tom.sees() == ""
    assert house.tom.id not in (await client.conversations_members(channel=house.water.id))["members"]


async def test_lists_come_in_pages(house: House) -> None:
    for number in range(5):
        house.acme.channel(f"c{number}")
    names: list[str] = []
    async for page in await house.client.users_conversations(limit=2):
        names += [channel["name"] for channel in page["channels"]]
    assert sorted(names) == ["c0", "c1", "c2", "c3", "c4", "water"]
    assert [call.method for call in house.slack.calls] == ["users.conversations"] * 3


async def test_what_administrators_do_is_told_to_those_who_subscribed(house: House) -> None:
    acme, water, ana, tom = house.acme, house.water, house.ana, house.tom
    secret = acme.channel("secret", ana, private=True)
    hidden = acme.channel("hidden", ana, private=True, bot=False)
    await acme.renames(water, "rivers")
    await acme.renames(secret, "secrets")
    await acme.renames(hidden, "nobody hears")
    await acme.makes_private(water, by=ana)
    await acme.shares(water, "T0OTHER0001")
    await tom.leaves(water)
    await tom.joins(water, inviter=ana)
    await acme.archives(secret, by=ana)
    await acme.unarchives(secret, by=ana)  # group_unarchive is not in the manifest
    await acme.removes(acme.bot, water)
    await ana.says("the bot is gone", water)
    kinds = [(body["event"]["type"], body["event"].get("subtype", "")) for body in house.echo.told]
    assert sorted(kinds) == [
        ("channel_rename", ""),
        ("channel_shared", ""),
        ("group_archive", ""),
        ("group_left", ""),
        ("group_rename", ""),
        ("member_joined_channel", ""),
        ("member_left_channel", ""),
        ("message", "channel_convert_to_private"),
        ("message", "group_join"),
    ]
    assert house.echo.told[0]["event"]["channel"]["name"] == "rivers"


async def test_reactions_and_links(house: House) -> None:
    client, ana = house.client, house.ana
    said = await ana.shares_link("https://echo.example/knowledge/7?a=1&b=2", house.water)
    event = house.echo.told[-1]["event"]
    assert event["links"] == [{"domain": "echo.example", "url": "https://echo.example/knowledge/7?a=1&b=2"}]
    url = event["links"][0]["url"]
    preview = {url: {"blocks": [section("*Seven*") | {"accessory": button("Seven again", "again", "seven")}]}}
    await client.chat_unfurl(channel=house.water.id, ts=said.ts, unfurls=preview)
    assert "*Seven*" in ana.reads(said)
    await ana.presses("Seven again")
    payload = next(body for body in house.echo.told if body.get("type") == "block_actions")
    assert payload["container"]["app_unfurl_url"] == url
    await house.slack.until(lambda: "seven, again" in ana.sees(house.water))
    assert "Have a look" in ana.reads(said)
    unknown = client.reactions_add(channel=house.water.id, timestamp=said.ts, name="no_such_emoji")
    assert await error_of(unknown) == "invalid_name"
    refused = client.chat_unfurl(channel=house.water.id, ts=said.ts, unfurls={"https://no.example": {}})
    assert await error_of(refused) == "cannot_unfurl_url"
    await client.reactions_add(channel=house.water.id, timestamp=said.ts, name="eyes")
    again = client.reactions_add(channel=house.water.id, timestamp=said.ts, name="eyes")
    assert await error_of(again) == "already_reacted"
    await ana.reacts("white_check_mark", said)
    events = [body["event"] for body in house.echo.told if "event" in body]
    assert "white_check_mark" in [event.get("reaction") for event in events]
    assert ":eyes: 1 :white_check_mark: 1" in ana.reads(said)
    link = (await client.chat_getPermalink(channel=house.water.id, message_ts=said.ts))["permalink"]
    assert link.endswith(f"/archives/{house.water.id}/p{said.ts.replace('.', '')}")


# --- interactions ---


async def test_a_trigger_is_good_once_for_three_seconds(house: House) -> None:
    slack, client, ana = house.slack, house.client, house.ana
    old = slack.triggers.new(house.acme.team, ana.id)
    house.clock.forward(seconds=3.1)
    assert await error_of(client.views_open(trigger_id=old, view=form())) == "expired_trigger_id"
    fresh = slack.triggers.new(house.acme.team, ana.id)
    view = (await client.views_open(trigger_id=fresh, view=form()))["view"]
    assert await error_of(client.views_open(trigger_id=fresh, view=form())) == "exchanged_trigger_id"
    assert await error_of(client.views_open(trigger_id="no", view=form())) == "invalid_trigger_id"
    newer = (await client.views_update(view_id=view["id"], hash=view["hash"], view=form("Two")))["view"]
    assert newer["hash"] != view["hash"]
    stale = client.views_update(view_id=view["id"], hash=view["hash"], view=form("Three"))
    assert await error_of(stale) == "hash_conflict"
    assert ana.modal is not None
    assert ana.modal.content["title"]["text"] == "Two"


async def test_a_response_url_is_good_five_times_in_thirty_minutes(house: House) -> None:
    url = house.slack.response_urls.new(house.acme.team, house.water, house.ana.id)
    late = house.slack.response_urls.new(house.acme.team, house.water, house.ana.id)
    async with aiohttp.ClientSession() as session:
        for number in range(5):
            kind = "in_channel" if number == 4 else "ephemeral"
            async with session.post(url, json={"text": f"n{number}", "response_type": kind}) as response:
                assert (await response.json())["ok"]
        async with session.post(url, json={"text": "six"}) as response:
            assert (await response.json())["error"] == "used_url"
        house.clock.forward(minutes=31)
        async with session.post(late, json={"text": "late"}) as response:
            assert (await response.json())["error"] == "expired_url"
    assert house.tom.sees(house.water) == "Echo: n4"
    assert "Echo (only visible to you): n0" in house.ana.sees(house.water)


async def test_a_command_that_nobody_takes_says_so(house: House) -> None:
    house.slack.request_url = "http://127.0.0.1:9/"
    await house.ana.command("/echo", "x", channel=house.water)
    assert '/echo failed with the error "dispatch_failed"' in house.ana.sees(house.water)
    with pytest.raises(NotThere):
        await house.ana.command("/unknown")


async def test_a_file_is_shared(house: House) -> None:
    await house.client.files_upload_v2(channel=house.water.id, content="a,b", filename="t.csv", title="Table")
    assert house.tom.messages(house.water)[-1].files[0]["title"] == "Table"
