"""The HTTP server: the web chat, other platforms, health and metrics on one port."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest

from adapters.slack import SlackChat
from adapters.slack import install as install_slack
from adapters.teams import TeamsChat
from adapters.teams import install as install_teams
from adapters.web import WebChat, install
from bot.ports import EventHandler

Health = Callable[[], Awaitable[dict[str, int]]]


def application(
    chat: WebChat,
    handle: EventHandler,
    *,
    health: Health,
    slack: SlackChat | None = None,
    teams: TeamsChat | None = None,
) -> web.Application:
    """Everything that is served. `health` gives the backlog, and raises where the database does not answer."""
    app = web.Application()

    async def alive(_request: web.Request) -> web.Response:
        return web.json_response({"status": "alive"})

    async def ready(_request: web.Request) -> web.Response:
        try:
            return web.json_response({"status": "ready", **await health()})
        except Exception:  # whatever is wrong, the load balancer must hear "not ready"
            return web.json_response({"status": "the database does not answer"}, status=503)

    async def metrics(_request: web.Request) -> web.Response:
        registry = CollectorRegistry()
        work = Gauge("weaver_work", "Durable work, by state", ["state"], registry=registry)
        for state, count in (await health()).items():
            work.labels(state).set(count)
        return web.Response(body=generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    app.router.add_get("/healthz", alive)
    app.router.add_get("/readyz", ready)
    app.router.add_get("/metrics", metrics)
    install(app, chat, handle)
    if slack is not None:
        install_slack(app, slack, handle)
    if teams is not None:
        install_teams(app, teams, handle)
    return app


async def listen(app: web.Application, host: str, port: int) -> web.AppRunner:
    """Serve `app`; the runner's `cleanup` ends it."""
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, host, port).start()
    return runner
