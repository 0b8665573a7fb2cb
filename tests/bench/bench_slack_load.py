"""Fifty questions a second for a minute, from 500 people in two workspaces: is each acknowledged in time, and kept?

Run it by hand: python tests/bench/bench_slack_load.py [seconds]
The bot is `weaver serve` in a process of its own, on SQLite, with the sample's answered questions; this process is
Slack. The same load goes to a Bolt application that does nothing but acknowledge, so that the ratio says what keeping
and answering cost. Prints a table, and exits with 1 when a promise is broken.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import socket
import sqlite3
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from http.cookies import SimpleCookie
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import aiohttp
import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from adapters.slack.manifest import manifest  # noqa: E402  (the folder above is put on the path first)
from tests.edges.slack_server import Person, SlackServer, Workspace  # noqa: E402

PER_SECOND, PEOPLE = 50, 500
LIMIT, NINETY_NINE = 3.0, 0.5  # seconds: Slack's own, and the 99th percentile promised
PATIENCE = 900  # seconds for the bot to finish what it has acknowledged

BARE = """
import asyncio, os, sys
from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult

async def authorize(**_):
    return AuthorizeResult(enterprise_id=None, team_id=None, bot_token="xoxb-none", bot_user_id="U0", bot_id="B0")

bolt = AsyncApp(signing_secret=os.environ["SLACK_SIGNING_SECRET"], authorize=authorize)

@bolt.event("message")
async def heard(ack):
    await ack()

async def take(request):
    return await to_aiohttp_response(await bolt.async_dispatch(await to_bolt_request(request)))

async def alive(_):
    return web.Response()

app = web.Application()
app.router.add_post("/slack/events", take)
app.router.add_get("/healthz", alive)
web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), access_log=None, print=None)
"""


@dataclass(frozen=True)
class Result:
    """How long acknowledging took, in seconds, shape (questions,), and how many were not taken at the first try."""

    seconds: np.ndarray
    refused: int

    @property
    def row(self) -> str:
        """The figures of the table."""
        ms = self.seconds * 1000
        p50, p99 = np.percentile(ms, [50, 99])
        within = float(np.mean(self.seconds < LIMIT) * 100)
        return f"{len(ms):>7} {within:>8.2f} % {p50:>8.1f} {p99:>8.1f} {ms.max():>8.1f} {self.refused:>8}"


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextlib.asynccontextmanager
async def process(arguments: list[str], port: int, **environment: str) -> AsyncIterator[None]:
    """A program, until it answers on its port, and to the end of the block."""
    plain = {key: value for key, value in os.environ.items() if not key.startswith(("WEAVER_", "SLACK_"))}
    program = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, cwd=ROOT, env=plain | environment, stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        async with aiohttp.ClientSession() as session, asyncio.timeout(120):
            while True:
                with contextlib.suppress(aiohttp.ClientError):
                    async with session.get(f"http://127.0.0.1:{port}/healthz") as answer:
                        if answer.status == 200:
                            break
                await asyncio.sleep(0.2)
        yield
    finally:
        if program.returncode is None:
            program.terminate()
            await program.wait()


async def install(slack: SlackServer, workspace: Workspace, base: str) -> None:
    """An administrator installs the app, by OAuth."""
    async with slack.session.get(f"{base}/slack/install", allow_redirects=False) as answer:
        cookies = SimpleCookie(answer.headers["Set-Cookie"])
        asked = parse_qs(urlsplit(answer.headers["Location"]).query)
    code = workspace.approves_installation(workspace.person("Ada Admin"), redirect_uri=asked["redirect_uri"][0])
    cookie = "; ".join(f"{name}={morsel.value}" for name, morsel in cookies.items())
    address = f"{base}/slack/oauth_redirect?code={code}&state={asked['state'][0]}"
    async with slack.session.get(address, headers={"Cookie": cookie}) as answer:
        assert answer.status == 200, await answer.text()


async def load(slack: SlackServer, people: list[Person], seconds: int) -> Result:
    """Questions at an even pace, whether or not the earlier ones are acknowledged yet."""
    chance = random.Random(7)
    asked = [json.loads(line)["title"] for line in (ROOT / "bot/sample/qa.jsonl").read_text("utf8").splitlines()]
    before = len(slack.inbound.deliveries)
    begun = time.perf_counter()
    tasks = []
    for number in range(PER_SECOND * seconds):
        await asyncio.sleep(max(0.0, begun + number / PER_SECOND - time.perf_counter()))
        text = f"{chance.choice(asked)} (case {number})"
        tasks.append(asyncio.create_task(people[number % len(people)].dms(text)))
    await asyncio.gather(*tasks)
    await slack.quiet()
    first = [delivery.attempts[0] for delivery in slack.inbound.deliveries[before:]]
    return Result(np.array([one.seconds for one in first]), sum(bool(one.reason) for one in first))


def answered(people: list[Person], sent: int) -> int:
    """How many questions have a card of the bot in their asker's direct conversation."""
    said = {person.id: " ".join(person.reads(m) for m in person.messages(person.dm) if m.bot_id) for person in people}
    return sum(f"(case {number})" in said[people[number % len(people)].id] for number in range(sent))


def waiting(database: Path) -> tuple[int, int]:
    """Questions kept by the bot, and pieces of work it still has to do."""
    with contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        questions = connection.execute("SELECT count(*) FROM questions").fetchone()[0]
        left = connection.execute("SELECT count(*) FROM slack_inbox WHERE handled = 0").fetchone()[0]
        left += connection.execute("SELECT count(*) FROM work WHERE kind != 'round' AND failed = 0").fetchone()[0]
        return questions, left


async def main(seconds: int) -> int:
    """The table."""
    async with SlackServer(manifest("https://weaver.example.com")) as slack:
        workspaces = [slack.workspace(name, installed=False) for name in ("Acme", "Globex")]
        people = [workspaces[n % 2].person(f"Person {n}") for n in range(PEOPLE)]
        port = free_port()
        slack.request_url = f"http://127.0.0.1:{port}/slack/events"
        with tempfile.TemporaryDirectory() as home:
            database, base = Path(home) / "weaver.db", f"http://127.0.0.1:{port}"
            settings = {"WEAVER_HOME": home, "WEAVER_PORT": str(port), "WEAVER_BASE_URL": base}
            settings |= {"SLACK_SIGNING_SECRET": slack.signing_secret, "SLACK_API_URL": slack.api_url}
            settings |= {"SLACK_CLIENT_ID": slack.client_id, "SLACK_CLIENT_SECRET": slack.client_secret}
            imported = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "bot", "import", "qa", "bot/sample/qa.jsonl", cwd=ROOT,
                env=os.environ | settings, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
            )  # fmt: skip
            assert await imported.wait() == 0
            async with process(["-m", "bot", "serve"], port, **settings):
                for workspace in workspaces:
                    await install(slack, workspace, base)
                for person in people[:2]:  # the model is loaded, the first connections are open
                    await person.dms("Is the bot there? (case warm)")
                await asyncio.sleep(5)
                weaver = await load(slack, people, seconds)
                begun = time.perf_counter()
                kept, left = waiting(database)
                while left and time.perf_counter() - begun < PATIENCE:
                    await asyncio.sleep(1)
                    kept, left = waiting(database)
                after = time.perf_counter() - begun
        expected = PER_SECOND * seconds + 2
        seen = answered(people, PER_SECOND * seconds)
        async with process(["-c", BARE, str(port)], port, SLACK_SIGNING_SECRET=slack.signing_secret):
            bare = await load(slack, people, seconds)
    print(f"\n{PER_SECOND} questions a second for {seconds} s, {PEOPLE} people, two workspaces, {os.cpu_count()} cores")
    print(f"{'':<28}{'sent':>7} {'in 3 s':>10} {'p50 ms':>8} {'p99 ms':>8} {'max ms':>8} {'refused':>8}")
    print(f"{'Weaver':<28}{weaver.row}")
    print(f"{'Bolt, acknowledging only':<28}{bare.row}")
    ratio = np.percentile(weaver.seconds, 99) / np.percentile(bare.seconds, 99)
    print(f"\n99th percentile: {ratio:.1f} times that of Bolt alone.")
    print(f"Kept {kept} of {expected} questions; work left {left}, all done {after:.0f} s after the last question.")
    print(f"Answered in sight of their askers: {seen} of {PER_SECOND * seconds}.")
    promised = np.percentile(weaver.seconds, 99) < NINETY_NINE and weaver.seconds.max() < LIMIT
    return 0 if promised and kept == expected and not left else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 60)))
