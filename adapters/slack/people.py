"""Who and where: profiles, status, do-not-disturb, channels and members, looked up one by one and kept for a while.

Nothing is ever listed: https://docs.slack.dev/reference/methods/users.info, conversations.info, dnd.info.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Generic, TypeVar

import structlog

from adapters.slack.calls import Calls, SlackError
from adapters.slack.installations import Installations
from bot.ports import Clock, DeliveryError, PersonRef, Place, PlaceInfo, Profile

log = structlog.get_logger()

PLATFORM = "slack"
_UNKNOWN_PERSON = ("user_not_found", "user_not_visible", "users_not_found")
_UNKNOWN_PLACE = ("channel_not_found", "not_in_channel", "method_not_supported_for_channel_type")
#: Status emoji that say "not here for now"; with an end, they are believed until then.
AWAY = frozenset(
    f":{name}:"
    for name in (
        *(
            "palm_tree",
            "desert_island",
            "beach_with_umbrella",
            "umbrella_on_ground",
            "zzz",
            "no_entry",
            "no_entry_sign",
        ),
        *("face_with_thermometer", "mask", "sick", "hospital", "baby"),
    )
)
_MEMBERS_A_PAGE = 200

Kept = TypeVar("Kept")


class Shelf(Generic[Kept]):
    """A bounded memory of what was looked up, each good for a while."""

    def __init__(self, clock: Clock, good_for: timedelta, size: int = 5000) -> None:
        self._clock = clock
        self._good_for = good_for
        self._size = size
        self._kept: OrderedDict[tuple[str, str], tuple[datetime, Kept]] = OrderedDict()

    def get(self, team: str, id: str) -> Kept | None:  # noqa: A002
        until, kept = self._kept.get((team, id), (None, None))
        return kept if until is not None and until > self._clock.now() else None

    def put(self, team: str, id: str, value: Kept) -> None:  # noqa: A002
        self._kept[team, id] = (self._clock.now() + self._good_for, value)
        self._kept.move_to_end((team, id))
        while len(self._kept) > self._size:
            self._kept.popitem(last=False)

    def drop(self, team: str, id: str) -> None:  # noqa: A002
        self._kept.pop((team, id), None)


class People:
    """People and channels of all workspaces."""

    def __init__(self, calls: Calls, installations: Installations, clock: Clock) -> None:
        self._calls = calls
        self._installations = installations
        self._clock = clock
        self._profiles = Shelf[Profile](clock, timedelta(minutes=10))
        self._names = Shelf[str](clock, timedelta(days=1))
        self._places = Shelf[PlaceInfo](clock, timedelta(minutes=10))
        self._bots: dict[str, str] = {}

    async def bot_user(self, team: str) -> str:
        """The bot's own user id in this workspace."""
        found = await self._installations.find(team)
        if found is not None:
            return found.bot_user
        if team not in self._bots:
            me = await self._calls.call(team, "auth.test")
            if not me.get("is_enterprise_install"):
                self._installations.single(str(me.get("team_id", "")))
                await self._installations.token(team)  # raises where the token is another workspace's
            self._bots[team] = str(me.get("user_id", ""))
        return self._bots[team]

    def is_bot(self, team: str, user: str) -> None:
        """Slack has said that this is the bot's own user in this workspace."""
        self._bots.setdefault(team, user)

    def name(self, team: str, user: str) -> str | None:
        """The name of somebody who was looked up lately; asks nobody."""
        return self._names.get(team, user)

    async def profile(self, ref: PersonRef) -> Profile:
        """Who this is. Raises `LookupError` for nobody, and for bots."""
        known = self._profiles.get(ref.workspace, ref.id)
        if known is not None:
            return known
        try:
            answer = await self._calls.call(ref.workspace, "users.info", user=ref.id)
        except SlackError as error:
            if error.code in _UNKNOWN_PERSON:
                raise LookupError("no such person in this Slack workspace") from error
            raise
        user = answer.get("user")
        if not isinstance(user, dict) or user.get("is_bot") or ref.id == "USLACKBOT" or user.get("is_workflow_bot"):
            raise LookupError("not a person")
        quiet = None if user.get("deleted") else await self._quiet(ref)
        profile = profile_of(ref, user, quiet, self._clock.now())
        self._profiles.put(ref.workspace, ref.id, profile)
        self._names.put(ref.workspace, ref.id, profile.name)
        return profile

    async def lookup(self, workspace: str, email: str) -> Profile | None:
        """Who has this address there: https://docs.slack.dev/reference/methods/users.lookupByEmail"""
        try:
            answer = await self._calls.call(workspace, "users.lookupByEmail", email=email)
        except SlackError as error:
            if error.code in (*_UNKNOWN_PERSON, "users_not_found"):
                return None
            raise
        user = answer.get("user") or {}
        try:
            return await self.profile(PersonRef(PLATFORM, workspace, str(user.get("id") or "")))
        except LookupError:
            return None

    async def _quiet(self, ref: PersonRef) -> datetime | None:
        try:
            return quiet_in(await self._calls.call(ref.workspace, "dnd.info", user=ref.id), self._clock.now())
        except DeliveryError as error:
            log.warning("slack.no_do_not_disturb", reason=str(error))  # the profile is worth having without it
            return None

    async def place(self, place: Place) -> PlaceInfo:
        """What this channel is. Raises `LookupError` for one that is gone, or that the bot cannot see."""
        known = self._places.get(place.workspace, place.channel)
        if known is not None:
            return known
        try:
            answer = await self._calls.call(place.workspace, "conversations.info", channel=place.channel)
        except SlackError as error:
            if error.code in _UNKNOWN_PLACE:
                raise LookupError("no such channel, or the bot is not in it") from error
            raise
        found = place_of(place.root, answer.get("channel") or {})
        self._places.put(place.workspace, place.channel, found)
        return found

    async def members(self, place: Place) -> list[PersonRef]:
        """Everybody in the channel but the bot."""
        ids: list[str] = []
        cursor = ""
        while True:
            more = {"cursor": cursor} if cursor else {}
            answer = await self._calls.call(
                place.workspace, "conversations.members", channel=place.channel, limit=_MEMBERS_A_PAGE, **more
            )
            ids += [str(one) for one in answer.get("members") or ()]
            cursor = str((answer.get("response_metadata") or {}).get("next_cursor") or "")
            if not cursor:
                break
        me = await self.bot_user(place.workspace)
        return [PersonRef(PLATFORM, place.workspace, one) for one in ids if one not in (me, "USLACKBOT")]

    def forget_person(self, team: str, user: str) -> None:
        """Something about this person has changed."""
        self._profiles.drop(team, user)

    def forget_place(self, team: str, channel: str) -> None:
        """Something about this channel has changed."""
        self._places.drop(team, channel)

    def forget_workspace(self, team: str) -> None:
        """The app was removed there."""
        self._bots.pop(team, None)


def profile_of(ref: PersonRef, user: Mapping[str, Any], quiet: datetime | None, now: datetime) -> Profile:
    """A user object (https://docs.slack.dev/reference/objects/user-object) as a profile.

    Who belongs to another workspace is a guest, and brings no e-mail address: that organisation has verified it,
    not this one, and accounts are joined by it.
    """
    said = user.get("profile") or {}
    outside = bool(user.get("is_stranger")) or str(user.get("team_id") or ref.workspace) != ref.workspace
    enterprise = (user.get("enterprise_user") or {}).get("teams") or ()
    if ref.workspace in enterprise and not user.get("is_stranger"):
        outside = False
    guest = outside or bool(user.get("is_restricted")) or bool(user.get("is_ultra_restricted"))
    verified = not outside and user.get("is_email_confirmed") is not False
    names = (said.get("real_name"), said.get("display_name"), user.get("real_name"), user.get("name"))
    ends = [moment for moment in (quiet, _away(said, now)) if moment is not None]
    return Profile(
        ref=ref,
        name=next((str(name) for name in names if name), "Somebody"),
        email=str(said["email"]) if verified and said.get("email") else None,
        title=str(said.get("title") or ""),
        time_zone=str(user.get("tz") or "UTC"),
        guest=guest,
        active=not user.get("deleted"),
        quiet_until=max(ends, default=None),
    )


def _away(said: Mapping[str, Any], now: datetime) -> datetime | None:
    emoji, until = str(said.get("status_emoji") or ""), said.get("status_expiration")
    if emoji not in AWAY or not isinstance(until, (int, float)) or until <= now.timestamp():
        return None
    return datetime.fromtimestamp(until, UTC)


def quiet_in(dnd: Mapping[str, Any], now: datetime) -> datetime | None:
    """Until when somebody wants no notifications, if they want none now: snoozed, or in their nightly window."""
    ends = []
    snoozed = dnd.get("snooze_endtime") if dnd.get("snooze_enabled") else None
    if isinstance(snoozed, (int, float)):
        ends.append(float(snoozed))
    begin, end = dnd.get("next_dnd_start_ts"), dnd.get("next_dnd_end_ts")
    if dnd.get("dnd_enabled") and isinstance(begin, (int, float)) and isinstance(end, (int, float)):
        ends += [float(end)] if begin <= now.timestamp() else []
    later = [end for end in ends if end > now.timestamp()]
    return datetime.fromtimestamp(max(later), UTC) if later else None


def place_of(place: Place, channel: Mapping[str, Any]) -> PlaceInfo:
    """A conversation object (https://docs.slack.dev/reference/objects/conversation-object) as a place.

    A channel is private until Slack says otherwise.
    """
    direct = bool(channel.get("is_im"))
    public = channel.get("is_private") is False and not channel.get("is_mpim") and not direct
    return PlaceInfo(
        place=place,
        name=str(channel.get("name") or ""),
        private=not public,
        direct=direct,
        archived=bool(channel.get("is_archived")),
        outsiders=bool(channel.get("is_ext_shared") or channel.get("is_pending_ext_shared")),
    )
