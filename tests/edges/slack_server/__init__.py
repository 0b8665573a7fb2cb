"""An honest Slack on a local port, for tests.

    async with SlackServer(manifest) as slack:                # socket_mode=True for Socket Mode
        acme = slack.workspace("Acme")                        # the app is installed in it: acme.token, acme.bot
        ana = acme.person("Ana Lima")
        water = acme.channel("water", ana)                    # private=True, bot=False
        …start the bot with slack.api_url, slack.signing_secret, acme.token, slack.app_token…
        slack.request_url = "http://127.0.0.1:8080/slack/events"
        await ana.mentions_bot("Why does the pump stall?", water)
        assert "I have your question" in ana.sees(water)
        await ana.presses("Not quite")
        await ana.fills_and_submits(**{"Your question": "…"})
        slack.faults.add("chat.postMessage", Reset(after=True), nth=2)
        await slack.until(lambda: "[Accept]" in ana.sees())   # what the bot does after its acknowledgement
        await slack.quiet()                                   # all deliveries and their retries are over
        assert slack.violations == []                         # slack.calls: every call of the bot

What it does not do: enterprise grids, token rotation, workflows, huddles, canvases.
"""

from .faults import BadJson, Broken, Fails, Hang, Hook, RateLimited, Reset, of_a_server
from .inbound import Attempt, Delivery, sign
from .pacing import Pacing
from .people import NotThere, Person
from .server import SlackServer
from .state import Channel, Json, Message, User, View
from .submissions import Submission
from .web_api import Recorded, Violation
from .workspace import Workspace

__all__ = [
    "Attempt",
    "BadJson",
    "Broken",
    "Channel",
    "Delivery",
    "Fails",
    "Hang",
    "Hook",
    "Json",
    "Message",
    "NotThere",
    "Pacing",
    "Person",
    "RateLimited",
    "Recorded",
    "Reset",
    "SlackServer",
    "Submission",
    "User",
    "View",
    "Violation",
    "Workspace",
    "of_a_server",
    "sign",
]
